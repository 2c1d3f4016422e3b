import { Module } from '@nestjs/common';
import { getDataSourceToken } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { ReportService } from '@app/reports';
import { API_CONFIG, type ApiConfig } from '../../config.js';
import { ReportsController } from './reports.controller.js';

@Module({
  controllers: [ReportsController],
  providers: [
    {
      provide: ReportService,
      inject: [getDataSourceToken(), API_CONFIG],
      useFactory: (dataSource: DataSource, config: ApiConfig) =>
        new ReportService(dataSource, { timezone: config.SERVER_TIMEZONE }),
    },
  ],
})
export class ReportsModule {}
