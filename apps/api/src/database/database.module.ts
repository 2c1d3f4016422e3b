import { Socket } from 'node:net';
import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { dataSourceOptions } from '@app/domain';
import type { ApiConfig } from '../config.js';
import { DatabaseStarter } from './database-starter.js';

const POOL_SIZE = 16;
/** No statement of a route takes longer; the server ends it and the connection stays usable. */
const STATEMENT_TIMEOUT_MS = 10_000;
/** Longer than a statement may take and than the pool keeps an idle connection: nobody is there. */
const SILENCE_LIMIT_MS = 12_000;

/**
 * The pool of this process. The process starts without a database, too: `DatabaseStarter` keeps
 * trying, and until then every route that needs it answers 503.
 */
export function databaseModule(config: ApiConfig) {
  const options = dataSourceOptions(config.DATABASE_URL, 'api', { size: POOL_SIZE });
  return {
    module: DatabaseModule,
    imports: [
      TypeOrmModule.forRoot({
        ...options,
        extra: {
          ...(options.extra as object),
          statement_timeout: STATEMENT_TIMEOUT_MS,
          stream: impatientSocket,
        },
        manualInitialization: true,
      }),
    ],
    providers: [DatabaseStarter],
  };
}

@Module({})
class DatabaseModule {}

/**
 * A connection whose other end vanished without a word says nothing for ever; the driver's own time
 * limit gives up on the statement but hands the dead connection to the next one.
 */
function impatientSocket(): Socket {
  const socket = new Socket();
  socket.setTimeout(SILENCE_LIMIT_MS, () => {
    socket.destroy(new Error('Connection terminated: the database has gone silent'));
  });
  return socket;
}
