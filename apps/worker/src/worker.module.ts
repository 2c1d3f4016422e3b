import { type DynamicModule, Module } from '@nestjs/common';
import { HealthModule, type Logger, loggingModule, MetricsModule } from '@app/platform';
import { WorkerService } from './worker.service.js';
import { WORKER_CONFIG, type WorkerConfig, LOGGER } from './config.js';

@Module({})
export class WorkerModule {
  static with(config: WorkerConfig, logger: Logger): DynamicModule {
    return {
      module: WorkerModule,
      imports: [loggingModule(logger), HealthModule, MetricsModule],
      providers: [
        { provide: WORKER_CONFIG, useValue: config },
        { provide: LOGGER, useValue: logger },
        WorkerService,
      ],
    };
  }
}
