import { Module } from '@nestjs/common';
import { Inspector } from './inspector.js';
import { InspectorQueues } from './inspector-queues.js';

@Module({ providers: [Inspector, InspectorQueues] })
export class InspectorModule {}
