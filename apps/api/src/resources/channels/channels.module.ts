import { Module } from '@nestjs/common';
import { Database } from '@app/database';
import { ChannelService } from '@app/lanes';
import { API_CONFIG, type ApiConfig } from '../../config.js';
import { ChannelsController } from './channels.controller.js';

@Module({
  controllers: [ChannelsController],
  providers: [
    {
      provide: ChannelService,
      inject: [Database, API_CONFIG],
      useFactory: (database: Database, config: ApiConfig) =>
        new ChannelService(database, config.ENCRYPTION_KEY),
    },
  ],
})
export class ChannelsModule {}
