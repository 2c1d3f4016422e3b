import { Module } from '@nestjs/common';
import { Database } from '@app/database';
import { StatisticsService } from '@app/mailings';
import { StatisticsController } from './statistics.controller.js';

@Module({
  controllers: [StatisticsController],
  providers: [
    {
      provide: StatisticsService,
      inject: [Database],
      useFactory: (database: Database) => new StatisticsService(database),
    },
  ],
})
export class StatisticsModule {}
