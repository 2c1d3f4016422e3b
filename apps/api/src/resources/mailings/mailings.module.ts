import { Module } from '@nestjs/common';
import { ChangeLog } from '@app/audit';
import { Database } from '@app/database';
import {
  ContentsService,
  MailingControlService,
  MailingService,
  PreviewService,
} from '@app/mailings';
import { MailingContentsController } from './mailing-contents.controller.js';
import { MailingControlController } from './mailing-control.controller.js';
import { MailingsController } from './mailings.controller.js';

@Module({
  controllers: [MailingsController, MailingContentsController, MailingControlController],
  providers: [
    ...[MailingService, MailingControlService].map((service) => ({
      provide: service,
      inject: [Database, ChangeLog],
      useFactory: (database: Database, changes: ChangeLog) => new service(database, changes),
    })),
    ...[ContentsService, PreviewService].map((service) => ({
      provide: service,
      inject: [Database],
      useFactory: (database: Database) => new service(database),
    })),
  ],
})
export class MailingsModule {}
