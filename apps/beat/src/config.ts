import { loadConfig } from '@app/platform';

export const BEAT_CONFIG = Symbol('BeatConfig');
export const LOGGER = Symbol('Logger');

export interface BeatConfig {
  port: number;
  logLevel: string;
  /** For the leader's session: past any connection pooler. */
  directUrl: string;
  queueUrl: string;
  concurrency: number;
}

/** @throws ConfigError that names every missing or wrong variable. */
export function readBeatConfig(): BeatConfig {
  const env = loadConfig([
    'DATABASE_URL',
    'DATABASE_DIRECT_URL',
    'QUEUE_URL',
    'BEAT_PORT',
    'DELIVERY_CONCURRENCY',
    'LOG_LEVEL',
  ]);
  return {
    port: env.BEAT_PORT,
    logLevel: env.LOG_LEVEL,
    directUrl: env.DATABASE_DIRECT_URL ?? env.DATABASE_URL,
    queueUrl: env.QUEUE_URL ?? env.DATABASE_URL,
    concurrency: env.DELIVERY_CONCURRENCY,
  };
}
