import { type DynamicModule, Module } from '@nestjs/common';
import { HealthModule, type Logger, loggingModule, MetricsModule } from '@app/platform';
import { AuditModule } from './audit.module.js';
import type { ApiConfig } from './config.js';
import { ConfigModule } from './config.module.js';
import { DatabaseModule } from './database/database.module.js';
import { AuthModule } from './http/auth/auth.module.js';
import { HttpModule } from './http/http.module.js';
import { InspectorModule } from './queues/inspector.module.js';
import { ChannelsModule } from './resources/channels/channels.module.js';
import { ClientsModule } from './resources/clients/clients.module.js';
import { MailingsModule } from './resources/mailings/mailings.module.js';
import { MessagesModule } from './resources/messages/messages.module.js';
import { ReportsModule } from './resources/reports/reports.module.js';
import { StatisticsModule } from './resources/statistics/statistics.module.js';
import { TagsModule } from './resources/tags/tags.module.js';
import { TokensModule } from './resources/tokens/tokens.module.js';

@Module({})
export class AppModule {
  static with(config: ApiConfig, logger: Logger): DynamicModule {
    return {
      module: AppModule,
      imports: [
        ConfigModule.with(config),
        loggingModule(logger),
        AuditModule.with(logger),
        DatabaseModule.with(config),
        HealthModule,
        MetricsModule,
        HttpModule,
        AuthModule,
        TokensModule,
        ClientsModule,
        TagsModule,
        MailingsModule,
        StatisticsModule,
        MessagesModule,
        ChannelsModule,
        ReportsModule,
        InspectorModule,
      ],
    };
  }
}
