import { Socket } from 'node:net';
import pg from 'pg';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { ApiKey } from './entities/api-key.entity.js';
import { Client } from './entities/client.entity.js';
import { ClientTag } from './entities/client-tag.entity.js';
import { DeliveryAttempt } from './entities/delivery-attempt.entity.js';
import { IdempotencyKey } from './entities/idempotency-key.entity.js';
import { Lane } from './entities/lane.entity.js';
import { Mailing } from './entities/mailing.entity.js';
import { MailingActivity } from './entities/mailing-activity.entity.js';
import { MailingCounters } from './entities/mailing-counters.entity.js';
import { MailingError } from './entities/mailing-error.entity.js';
import { MailingSlot } from './entities/mailing-slot.entity.js';
import { MailingText } from './entities/mailing-text.entity.js';
import { MailingTotals } from './entities/mailing-totals.entity.js';
import { Message } from './entities/message.entity.js';
import { Report } from './entities/report.entity.js';
import { ReportStart } from './entities/report-start.entity.js';
import { Tag } from './entities/tag.entity.js';
import { Zone } from './entities/zone.entity.js';
import { InitialSchema1700000000000 } from './migrations/1700000000000-initial-schema.js';
import { ClaimFunction1700000000001 } from './migrations/1700000000001-claim-function.js';
import { Reports1700000000002 } from './migrations/1700000000002-reports.js';

// Ids and counters are bigint and stay far below 2^53: JSON numbers everywhere.
pg.types.setTypeParser(pg.types.builtins.INT8, Number);

export const ENTITIES = [
  ApiKey,
  Client,
  ClientTag,
  DeliveryAttempt,
  IdempotencyKey,
  Lane,
  Mailing,
  MailingActivity,
  MailingCounters,
  MailingError,
  MailingSlot,
  MailingText,
  MailingTotals,
  Message,
  Report,
  ReportStart,
  Tag,
  Zone,
];

export const MIGRATIONS = [
  InitialSchema1700000000000,
  ClaimFunction1700000000001,
  Reports1700000000002,
];

/** No statement of ours takes longer; the server ends it and the connection stays usable. */
const STATEMENT_TIMEOUT_MS = 20_000;

export interface SessionSettings {
  /**
   * The longest that a statement may take, ms; a connection that stays silent for two seconds longer
   * is taken for dead. Default 20 s.
   */
  statementTimeoutMs?: number;
  /**
   * For the engine, whose plans are made while the tables are still empty, and are then kept: its
   * statements all find their rows by index.
   */
  avoidSequentialScans?: boolean;
  /** The server lets this session write nothing. */
  readOnly?: boolean;
}

/** The settings that every connection of ours has. */
export function connectionOptions(
  url: string,
  applicationName: string,
  {
    statementTimeoutMs = STATEMENT_TIMEOUT_MS,
    avoidSequentialScans = false,
    readOnly = false,
  }: SessionSettings = {},
): pg.ClientConfig {
  const options = [
    ...(avoidSequentialScans ? ['-c enable_seqscan=off'] : []),
    ...(readOnly ? ['-c default_transaction_read_only=on'] : []),
  ];
  return {
    connectionString: url,
    application_name: applicationName,
    connectionTimeoutMillis: 3_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 5_000,
    // A transaction that its process forgot must not hold locks.
    idle_in_transaction_session_timeout: 5_000,
    statement_timeout: statementTimeoutMs,
    stream: () => impatientSocket(statementTimeoutMs + 2_000),
    ...(options.length > 0 && { options: options.join(' ') }),
  };
}

/**
 * A connection whose other end vanished without a word says nothing for ever. The driver's own time
 * limit gives up on the statement but hands the dead connection to the next one.
 */
function impatientSocket(silenceMs: number): Socket {
  const socket = new Socket();
  socket.setTimeout(silenceMs, () => {
    socket.destroy(new Error('Connection terminated: the database has gone silent'));
  });
  return socket;
}

export interface PoolSettings extends SessionSettings {
  /** Connections at the most. Default 10. */
  size?: number;
}

/**
 * One pool per process. `url` is a `postgres://` URL. Nothing is synchronised: the schema changes by
 * migrations only.
 */
export function dataSourceOptions(
  url: string,
  applicationName: string,
  { size = 10, ...session }: PoolSettings = {},
): DataSourceOptions {
  const { connectionString, ...extra } = connectionOptions(url, applicationName, session);
  return {
    type: 'postgres',
    url: connectionString,
    poolSize: size,
    extra,
    entities: ENTITIES,
    migrations: MIGRATIONS,
    migrationsTableName: 'migrations',
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
