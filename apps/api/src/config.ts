import { type Environment, loadConfig, type Variable } from '@app/platform';

const VARIABLES = [
  'DATABASE_URL',
  'QUEUE_URL',
  'API_HOST',
  'API_PORT',
  'ADMIN_TOKEN',
  'ENCRYPTION_KEY',
  'SERVER_TIMEZONE',
  'LOG_LEVEL',
] as const satisfies readonly Variable[];

export type ApiConfig = Pick<Environment, (typeof VARIABLES)[number]>;

/** Token of the settings; available everywhere in this app. */
export const API_CONFIG = Symbol('ApiConfig');

/** @throws ConfigError */
export function loadApiConfig(): ApiConfig {
  return loadConfig(VARIABLES);
}
