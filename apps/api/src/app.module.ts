import { type DynamicModule, Global, Module } from '@nestjs/common';
import { HealthModule, type Logger, loggingModule, MetricsModule } from '@app/platform';
import { AuthModule } from './http/auth/auth.module.js';
import { ClientsModule } from './resources/clients/clients.module.js';
import { API_CONFIG, type ApiConfig } from './config.js';
import { databaseModule } from './database/database.module.js';
import { MailingsModule } from './resources/mailings/mailings.module.js';
import { InspectorModule } from './queues/inspector.module.js';
import { ReportsModule } from './resources/reports/reports.module.js';
import { TagsModule } from './resources/tags/tags.module.js';
import { TokensModule } from './resources/tokens/tokens.module.js';

@Global()
@Module({})
class ConfigModule {}

@Module({})
export class AppModule {
  static with(config: ApiConfig, logger: Logger): DynamicModule {
    const settings = [{ provide: API_CONFIG, useValue: config }];
    return {
      module: AppModule,
      imports: [
        { module: ConfigModule, providers: settings, exports: settings },
        loggingModule(logger),
        databaseModule(config),
        HealthModule,
        MetricsModule,
        AuthModule,
        TokensModule,
        ClientsModule,
        TagsModule,
        MailingsModule,
        ReportsModule,
        InspectorModule,
      ],
    };
  }
}
