import { Socket } from 'node:net';
import pg from 'pg';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { ApiKey } from './entities/api-key.entity.js';
import { Client } from './entities/client.entity.js';
import { ClientMailing } from './entities/client-mailing.entity.js';
import { ClientTag } from './entities/client-tag.entity.js';
import { DeliveryAttempt } from './entities/delivery-attempt.entity.js';
import { IdempotencyKey } from './entities/idempotency-key.entity.js';
import { Installation } from './entities/installation.entity.js';
import { Lane } from './entities/lane.entity.js';
import { Mailing } from './entities/mailing.entity.js';
import { MailingActivity } from './entities/mailing-activity.entity.js';
import { MailingCounters } from './entities/mailing-counters.entity.js';
import { MailingError } from './entities/mailing-error.entity.js';
import { MailingSlot } from './entities/mailing-slot.entity.js';
import { MailingContent } from './entities/mailing-content.entity.js';
import { MailingTotals } from './entities/mailing-totals.entity.js';
import { Message } from './entities/message.entity.js';
import { Report } from './entities/report.entity.js';
import { ReportStart } from './entities/report-start.entity.js';
import { Tag } from './entities/tag.entity.js';
import { Zone } from './entities/zone.entity.js';
import { Directory1700000000000 } from './migrations/1700000000000-directory.js';
import { Lanes1700000000001 } from './migrations/1700000000001-lanes.js';
import { Mailings1700000000002 } from './migrations/1700000000002-mailings.js';
import { Messages1700000000003 } from './migrations/1700000000003-messages.js';
import { Books1700000000004 } from './migrations/1700000000004-books.js';
import { Reports1700000000005 } from './migrations/1700000000005-reports.js';
import { Access1700000000006 } from './migrations/1700000000006-access.js';
import { prepareSession } from './session/session.js';
import { type SessionSettings, STATEMENT_TIMEOUT_MS } from './session/settings.js';

// Ids and counters are bigint and stay far below 2^53: JSON numbers everywhere.
pg.types.setTypeParser(pg.types.builtins.INT8, Number);

const ENTITIES = [
  ApiKey,
  Client,
  ClientMailing,
  ClientTag,
  DeliveryAttempt,
  IdempotencyKey,
  Installation,
  Lane,
  Mailing,
  MailingActivity,
  MailingCounters,
  MailingError,
  MailingSlot,
  MailingContent,
  MailingTotals,
  Message,
  Report,
  ReportStart,
  Tag,
  Zone,
];

export const MIGRATIONS = [
  Directory1700000000000,
  Lanes1700000000001,
  Mailings1700000000002,
  Messages1700000000003,
  Books1700000000004,
  Reports1700000000005,
  Access1700000000006,
];

/** Options of every connection: it is prepared before its first statement. */
export function connectionOptions(
  url: string,
  applicationName: string,
  settings: SessionSettings = {},
): pg.PoolConfig {
  const { statementTimeoutMs = STATEMENT_TIMEOUT_MS } = settings;
  return {
    connectionString: url,
    application_name: applicationName,
    connectionTimeoutMillis: 3_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 5_000,
    stream: () => socketWithTimeout(statementTimeoutMs + 2_000),
    // eslint-disable-next-line @typescript-eslint/no-misused-promises -- the pool waits for it, which its types do not say
    onConnect: (client) => prepareSession(client, url, settings),
  };
}

/**
 * One connection outside of any pool.
 *
 * @throws UnusableDatabase, and what the driver throws when the database cannot be reached.
 */
export async function openSession(
  url: string,
  applicationName: string,
  settings?: SessionSettings,
): Promise<pg.Client> {
  const client = new pg.Client(connectionOptions(url, applicationName, settings));
  const ignore = () => undefined;
  client.on('error', ignore);
  try {
    await client.connect();
    await prepareSession(client, url, settings);
  } catch (error) {
    void client.end().catch(() => undefined);
    throw error;
  }
  client.off('error', ignore);
  return client;
}

/**
 * A connection whose peer disappeared without closing it stays silent for ever. The driver's own time
 * limit ends the statement but hands the dead connection to the next one.
 */
function socketWithTimeout(silenceMs: number): Socket {
  const socket = new Socket();
  socket.setTimeout(silenceMs, () => {
    socket.destroy(new Error('Connection terminated: the database does not answer'));
  });
  return socket;
}

export interface PoolSettings extends SessionSettings {
  /** Connections at the most. Default 10. */
  size?: number;
  /** A connection that is older is not used any more, s. Default: no limit. */
  lifetimeS?: number;
}

/**
 * One pool per process. `url` is a `postgres://` URL. Nothing is synchronised: the schema changes by
 * migrations only.
 */
export function dataSourceOptions(
  url: string,
  applicationName: string,
  { size = 10, lifetimeS = 0, ...session }: PoolSettings = {},
): DataSourceOptions {
  const { connectionString, ...extra } = connectionOptions(url, applicationName, session);
  return {
    type: 'postgres',
    url: connectionString,
    poolSize: size,
    extra: { ...extra, maxLifetimeSeconds: lifetimeS },
    entities: ENTITIES,
    migrations: MIGRATIONS,
    migrationsTableName: 'migrations',
    migrationsTransactionMode: 'each',
    synchronize: false,
    logging: false,
  };
}

export function createDataSource(
  url: string,
  applicationName: string,
  pool?: PoolSettings,
): DataSource {
  return new DataSource(dataSourceOptions(url, applicationName, pool));
}
