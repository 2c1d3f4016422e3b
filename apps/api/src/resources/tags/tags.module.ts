import { Module } from '@nestjs/common';
import { ChangeLog } from '@app/audit';
import { Database } from '@app/database';
import { TagsService } from '@app/directory';
import { TagsController } from './tags.controller.js';

@Module({
  controllers: [TagsController],
  providers: [
    {
      provide: TagsService,
      inject: [Database, ChangeLog],
      useFactory: (database: Database, changes: ChangeLog) => new TagsService(database, changes),
    },
  ],
})
export class TagsModule {}
