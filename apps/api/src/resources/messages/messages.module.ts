import { Module } from '@nestjs/common';
import { Database } from '@app/database';
import { MessageService } from '@app/mailings';
import { MessagesController } from './messages.controller.js';

@Module({
  controllers: [MessagesController],
  providers: [
    {
      provide: MessageService,
      inject: [Database],
      useFactory: (database: Database) => new MessageService(database),
    },
  ],
})
export class MessagesModule {}
