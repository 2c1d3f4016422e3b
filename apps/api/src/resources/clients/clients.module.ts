import { Module } from '@nestjs/common';
import { ChangeLog } from '@app/audit';
import { Database } from '@app/database';
import { ClientsService } from '@app/directory';
import { API_CONFIG, type ApiConfig } from '../../config.js';
import { ClientsController } from './clients.controller.js';

@Module({
  controllers: [ClientsController],
  providers: [
    {
      provide: ClientsService,
      inject: [Database, ChangeLog, API_CONFIG],
      useFactory: (database: Database, changes: ChangeLog, config: ApiConfig) =>
        new ClientsService(database, changes, config.SERVER_TIMEZONE),
    },
  ],
})
export class ClientsModule {}
