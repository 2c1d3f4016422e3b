import { Module } from '@nestjs/common';
import { getDataSourceToken } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { TagsService } from '@app/directory';
import { TagsController } from './tags.controller.js';

@Module({
  controllers: [TagsController],
  providers: [
    {
      provide: TagsService,
      inject: [getDataSourceToken()],
      useFactory: (dataSource: DataSource) => new TagsService(dataSource),
    },
  ],
})
export class TagsModule {}
