import { Module } from '@nestjs/common';
import { Database } from '@app/database';
import { MailingControlService, MailingService, PreviewService } from '@app/mailings';
import { MailingControlController } from './mailing-control.controller.js';
import { MailingsController } from './mailings.controller.js';

@Module({
  controllers: [MailingsController, MailingControlController],
  providers: [MailingService, MailingControlService, PreviewService].map((service) => ({
    provide: service,
    inject: [Database],
    useFactory: (database: Database) => new service(database),
  })),
})
export class MailingsModule {}
