import { Module } from '@nestjs/common';
import { Database } from '@app/database';
import { ReportService } from '@app/reports';
import { API_CONFIG, type ApiConfig } from '../../config.js';
import { ReportsController } from './reports.controller.js';

@Module({
  controllers: [ReportsController],
  providers: [
    {
      provide: ReportService,
      inject: [Database, API_CONFIG],
      useFactory: (database: Database, config: ApiConfig) =>
        new ReportService(database, { timezone: config.SERVER_TIMEZONE }),
    },
  ],
})
export class ReportsModule {}
