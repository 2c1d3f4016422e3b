import { Module } from '@nestjs/common';
import { ChangeLog } from '@app/audit';
import { Database } from '@app/database';
import { ReportService } from '@app/reports';
import { API_CONFIG, type ApiConfig } from '../../config.js';
import { ReportsController } from './reports.controller.js';

@Module({
  controllers: [ReportsController],
  providers: [
    {
      provide: ReportService,
      inject: [Database, ChangeLog, API_CONFIG],
      useFactory: (database: Database, changes: ChangeLog, config: ApiConfig) =>
        new ReportService(database, changes, { timezone: config.SERVER_TIMEZONE }),
    },
  ],
})
export class ReportsModule {}
