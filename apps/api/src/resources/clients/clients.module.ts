import { Module } from '@nestjs/common';
import { getDataSourceToken } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { ClientsService } from '@app/directory';
import { API_CONFIG, type ApiConfig } from '../../config.js';
import { ClientsController } from './clients.controller.js';

@Module({
  controllers: [ClientsController],
  providers: [
    {
      provide: ClientsService,
      inject: [getDataSourceToken(), API_CONFIG],
      useFactory: (dataSource: DataSource, config: ApiConfig) =>
        new ClientsService(dataSource, config.SERVER_TIMEZONE),
    },
  ],
})
export class ClientsModule {}
