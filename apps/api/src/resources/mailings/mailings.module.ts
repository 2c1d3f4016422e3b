import { Module } from '@nestjs/common';
import { Database } from '@app/database';
import { ChannelService } from '@app/lanes';
import {
  MailingControlService,
  MailingService,
  MessageService,
  PreviewService,
  StatisticsService,
} from '@app/mailings';
import { ChannelsController } from '../channels/channels.controller.js';
import { API_CONFIG, type ApiConfig } from '../../config.js';
import { MessagesController } from '../messages/messages.controller.js';
import { StatisticsController } from '../statistics/statistics.controller.js';
import { MailingControlController } from './mailing-control.controller.js';
import { MailingsController } from './mailings.controller.js';

/** The services know no framework: here they get what they need. */
const services = [
  MailingService,
  MailingControlService,
  PreviewService,
  StatisticsService,
  MessageService,
];

/** Mailings and everything that is told about them, with the channels that carry them. */
@Module({
  controllers: [
    MailingsController,
    MailingControlController,
    StatisticsController,
    MessagesController,
    ChannelsController,
  ],
  providers: [
    ...services.map((service) => ({
      provide: service,
      inject: [Database],
      useFactory: (database: Database) => new service(database),
    })),
    {
      provide: ChannelService,
      inject: [Database, API_CONFIG],
      useFactory: (database: Database, config: ApiConfig) =>
        new ChannelService(database, config.ENCRYPTION_KEY),
    },
  ],
  exports: services,
})
export class MailingsModule {}
