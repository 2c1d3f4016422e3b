import { tokenVariables } from '@app/lanes';
import { type Environment, loadConfig, type Variable } from '@app/platform';

export const BEAT_CONFIG = Symbol('BeatConfig');
export const LOGGER = Symbol('Logger');

const REPORT_VARIABLES = [
  'SMTP_URL',
  'MAIL_FROM',
  'REPORT_RECIPIENTS',
  'REPORT_TIME',
  'REPORT_LANGUAGE',
  'SERVER_TIMEZONE',
  'PUBLIC_URL',
  'ALERT_ERROR_RATE',
  'ALERT_WEBHOOK_URL',
  'ENCRYPTION_KEY',
] as const satisfies readonly Variable[];

/** Providers' tokens are not used here, only looked at: an alert says when it is about to expire. */
export type ReportConfig = Pick<Environment, (typeof REPORT_VARIABLES)[number]> &
  Partial<Environment>;

export interface BeatConfig {
  host: string;
  port: number;
  logLevel: string;
  /** For the leader's session: past any connection pooler. */
  directUrl: string;
  queueUrl: string;
  concurrency: number;
  reports: ReportConfig;
}

/** @throws ConfigError that names every missing or wrong variable. */
export function readBeatConfig(): BeatConfig {
  const env = loadConfig(
    [
      'DATABASE_URL',
      'DATABASE_DIRECT_URL',
      'QUEUE_URL',
      'API_HOST',
      'BEAT_PORT',
      'DELIVERY_CONCURRENCY',
      'LOG_LEVEL',
      ...REPORT_VARIABLES,
    ],
    undefined,
    tokenVariables(),
  );
  return {
    host: env.API_HOST,
    port: env.BEAT_PORT,
    logLevel: env.LOG_LEVEL,
    directUrl: env.DATABASE_DIRECT_URL ?? env.DATABASE_URL,
    queueUrl: env.QUEUE_URL ?? env.DATABASE_URL,
    concurrency: env.DELIVERY_CONCURRENCY,
    reports: env,
  };
}
