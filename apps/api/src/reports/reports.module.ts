import { Module } from '@nestjs/common';
import { getDataSourceToken } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { ReportService } from '@app/mailing';
import { ReportsController } from './reports.controller.js';

@Module({
  controllers: [ReportsController],
  providers: [
    {
      provide: ReportService,
      inject: [getDataSourceToken()],
      useFactory: (dataSource: DataSource) => new ReportService(dataSource),
    },
  ],
})
export class ReportsModule {}
