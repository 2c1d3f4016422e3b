import { type DynamicModule, Module } from '@nestjs/common';
import { getDataSourceToken, TypeOrmModule } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { Database, dataSourceOptions } from '@app/database';
import type { ApiConfig } from '../config.js';
import { DatabaseStarter } from './database-starter.js';

const POOL_SIZE = 16;
/** No statement of a route takes longer; the server ends it and the connection stays usable. */
const STATEMENT_TIMEOUT_MS = 10_000;
/** A session that only reads never notices that its server has stopped being the primary. */
const LIFETIME_S = 600;

const database = {
  provide: Database,
  inject: [getDataSourceToken()],
  useFactory: (dataSource: DataSource) => new Database(dataSource),
};

/**
 * The pool of this process. The process starts without a database, too: `DatabaseStarter` keeps
 * trying, and until then every route that needs it answers 503.
 */
@Module({})
export class DatabaseModule {
  static with(config: ApiConfig): DynamicModule {
    const options = dataSourceOptions(config.DATABASE_URL, 'api', {
      size: POOL_SIZE,
      statementTimeoutMs: STATEMENT_TIMEOUT_MS,
      lifetimeS: LIFETIME_S,
    });
    return {
      module: DatabaseModule,
      global: true,
      imports: [TypeOrmModule.forRoot({ ...options, manualInitialization: true })],
      providers: [database, DatabaseStarter],
      exports: [database],
    };
  }
}
