import { Module } from '@nestjs/common';
import { ChangeLog } from '@app/audit';
import { Database } from '@app/database';
import { MailingControlService, MailingService, PreviewService } from '@app/mailings';
import { MailingControlController } from './mailing-control.controller.js';
import { MailingsController } from './mailings.controller.js';

@Module({
  controllers: [MailingsController, MailingControlController],
  providers: [
    ...[MailingService, MailingControlService].map((service) => ({
      provide: service,
      inject: [Database, ChangeLog],
      useFactory: (database: Database, changes: ChangeLog) => new service(database, changes),
    })),
    {
      provide: PreviewService,
      inject: [Database],
      useFactory: (database: Database) => new PreviewService(database),
    },
  ],
})
export class MailingsModule {}
