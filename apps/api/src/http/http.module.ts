import { Module } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_PIPE } from '@nestjs/core';
import { InputPipe } from './input/input.pipe.js';
import { UnreadInputGuard } from './input/unread-input.guard.js';
import { DomainErrorFilter } from './problems/domain-error.filter.js';

/**
 * What every controller has around it. The key of a request is checked before its body is read, which
 * no guard of Nest can do: see `guardRoutes`.
 */
@Module({
  providers: [
    { provide: APP_GUARD, useClass: UnreadInputGuard },
    { provide: APP_PIPE, useClass: InputPipe },
    { provide: APP_FILTER, useClass: DomainErrorFilter },
  ],
})
export class HttpModule {}
