import type { ConfiguredChannel } from '@app/channels';
import { channelVariables, configureChannels } from '@app/lanes';
import { loadConfig } from '@app/platform';

export const WORKER_CONFIG = Symbol('WorkerConfig');
export const LOGGER = Symbol('Logger');

export interface WorkerConfig {
  host: string;
  port: number;
  logLevel: string;
  databaseUrl: string;
  queueUrl: string;
  /** Messages that this worker holds at a time, of all lanes together. */
  concurrency: number;
  encryptionKey: string | undefined;
  /** The channels that this worker can deliver by, by name. */
  channels: ReadonlyMap<string, ConfiguredChannel>;
}

/** @throws ConfigError that names every missing or wrong variable. */
export function readWorkerConfig(): WorkerConfig {
  const env = loadConfig([
    'DATABASE_URL',
    'QUEUE_URL',
    'API_HOST',
    'WORKER_PORT',
    ...channelVariables(),
    'DELIVERY_CONCURRENCY',
    'ENCRYPTION_KEY',
    'LOG_LEVEL',
  ]);
  return {
    host: env.API_HOST,
    port: env.WORKER_PORT,
    logLevel: env.LOG_LEVEL,
    databaseUrl: env.DATABASE_URL,
    queueUrl: env.QUEUE_URL ?? env.DATABASE_URL,
    concurrency: env.DELIVERY_CONCURRENCY,
    encryptionKey: env.ENCRYPTION_KEY,
    channels: configureChannels(env),
  };
}
