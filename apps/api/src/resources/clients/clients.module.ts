import { Module } from '@nestjs/common';
import { Database } from '@app/database';
import { ClientsService } from '@app/directory';
import { API_CONFIG, type ApiConfig } from '../../config.js';
import { ClientsController } from './clients.controller.js';

@Module({
  controllers: [ClientsController],
  providers: [
    {
      provide: ClientsService,
      inject: [Database, API_CONFIG],
      useFactory: (database: Database, config: ApiConfig) =>
        new ClientsService(database, config.SERVER_TIMEZONE),
    },
  ],
})
export class ClientsModule {}
