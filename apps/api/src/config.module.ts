import { type DynamicModule, Module } from '@nestjs/common';
import { API_CONFIG, type ApiConfig } from './config.js';

/** The settings, for every module. */
@Module({})
export class ConfigModule {
  static with(config: ApiConfig): DynamicModule {
    const settings = [{ provide: API_CONFIG, useValue: config }];
    return { module: ConfigModule, global: true, providers: settings, exports: settings };
  }
}
