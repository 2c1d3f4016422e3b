import { Module } from '@nestjs/common';
import { Database } from '@app/database';
import { TagsService } from '@app/directory';
import { TagsController } from './tags.controller.js';

@Module({
  controllers: [TagsController],
  providers: [
    {
      provide: TagsService,
      inject: [Database],
      useFactory: (database: Database) => new TagsService(database),
    },
  ],
})
export class TagsModule {}
