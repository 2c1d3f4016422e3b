import { loadConfig } from '@app/platform';

export const WORKER_CONFIG = Symbol('WorkerConfig');
export const LOGGER = Symbol('Logger');

export interface WorkerConfig {
  host: string;
  port: number;
  logLevel: string;
  databaseUrl: string;
  queueUrl: string;
  concurrency: number;
  encryptionKey: string | undefined;
  notification: { url: string; token: string; ratePerSecond: number | null };
}

/** @throws ConfigError that names every missing or wrong variable. */
export function readWorkerConfig(): WorkerConfig {
  const env = loadConfig([
    'DATABASE_URL',
    'QUEUE_URL',
    'API_HOST',
    'WORKER_PORT',
    'NOTIFICATION_API_URL',
    'NOTIFICATION_API_TOKEN',
    'NOTIFICATION_API_RATE',
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
    notification: {
      url: env.NOTIFICATION_API_URL,
      token: env.NOTIFICATION_API_TOKEN,
      ratePerSecond: env.NOTIFICATION_API_RATE ?? null,
    },
  };
}
