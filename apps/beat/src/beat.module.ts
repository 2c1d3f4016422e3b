import { type DynamicModule, Module } from '@nestjs/common';
import { HealthModule, type Logger, loggingModule, MetricsModule } from '@app/platform';
import { BeatService } from './beat.service.js';
import { BEAT_CONFIG, type BeatConfig, LOGGER } from './config.js';

@Module({})
export class BeatModule {
  static with(config: BeatConfig, logger: Logger): DynamicModule {
    return {
      module: BeatModule,
      imports: [loggingModule(logger), HealthModule, MetricsModule],
      providers: [
        { provide: BEAT_CONFIG, useValue: config },
        { provide: LOGGER, useValue: logger },
        BeatService,
      ],
    };
  }
}
