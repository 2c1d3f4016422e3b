import { z } from 'zod';

const url = (...schemes: string[]) =>
  z.string().refine((value) => URL.canParse(value) && schemes.includes(new URL(value).protocol), {
    message: `must be a URL that starts with ${schemes.map((s) => `${s}//`).join(' or ')}`,
  });
const postgresUrl = url('postgres:', 'postgresql:');
const port = z.coerce.number().int().min(0).max(65_535);
const timezone = z.string().refine(isTimezone, { message: 'must be an IANA timezone' });

function isTimezone(value: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: value });
    return true;
  } catch {
    return false;
  }
}

/**
 * Every variable that any process reads. `.env.example` documents each; a test holds the two
 * against each other. Processes pick the part they need with `loadConfig`.
 */
export const environment = z.object({
  DATABASE_URL: postgresUrl,
  DATABASE_DIRECT_URL: postgresUrl.optional(),
  QUEUE_URL: url('redis:', 'rediss:', 'postgres:', 'postgresql:').optional(),

  API_HOST: z.string().min(1).default('0.0.0.0'),
  API_PORT: port.default(8000),
  WORKER_PORT: port.default(8001),
  BEAT_PORT: port.default(8002),

  NOTIFICATION_API_URL: url('http:', 'https:'),
  NOTIFICATION_API_TOKEN: z.string().min(1),
  NOTIFICATION_API_RATE: z.coerce.number().positive().max(100_000).optional(),
  DELIVERY_CONCURRENCY: z.coerce.number().int().min(1).max(2_000).default(256),
  TELEGRAM_API_URL: url('http:', 'https:').default('https://api.telegram.org'),

  SERVER_TIMEZONE: timezone.default('Europe/Moscow'),
  ADMIN_TOKEN: z.string().min(16, 'must have at least 16 characters').optional(),
  ENCRYPTION_KEY: z.string().min(16, 'must have at least 16 characters').optional(),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),

  SIMULATOR_PORT: port.default(8090),
  SIMULATOR_CONTROL_PORT: port.optional(),
  SIMULATOR_TOKEN: z.string().min(1).optional(),
  SIMULATOR_FAULTS: z.string().optional(),
});

export type Environment = z.infer<typeof environment>;
export type Variable = keyof Environment;
