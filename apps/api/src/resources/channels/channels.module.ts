import { Module } from '@nestjs/common';
import { ChangeLog } from '@app/audit';
import { Database } from '@app/database';
import { ChannelService } from '@app/lanes';
import { API_CONFIG, type ApiConfig } from '../../config.js';
import { ChannelsController } from './channels.controller.js';

@Module({
  controllers: [ChannelsController],
  providers: [
    {
      provide: ChannelService,
      inject: [Database, ChangeLog, API_CONFIG],
      useFactory: (database: Database, changes: ChangeLog, config: ApiConfig) =>
        new ChannelService(database, changes, config.ENCRYPTION_KEY),
    },
  ],
})
export class ChannelsModule {}
