import { z } from 'zod';
import { withoutTrailingSlashes } from '../urls/trailing-slashes.js';
import { canonicalEmail } from '../canonical/email.js';
import { canonicalTimezone } from '../canonical/timezone.js';

const url = (...schemes: string[]) =>
  z.string().refine((value) => URL.canParse(value) && schemes.includes(new URL(value).protocol), {
    message: `must be a URL that starts with ${schemes.map((s) => `${s}//`).join(' or ')}`,
  });
const postgresUrl = url('postgres:', 'postgresql:');
const port = wholeNumber(0, 65_535);

function wholeNumber(min: number, max: number) {
  const message = `must be a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d{1,9}$/, message)
    .transform(Number)
    .refine((value) => value >= min && value <= max, message);
}

/** At least this many characters: nobody guesses them. */
const SECRET_LENGTH = 16;

/** A secret of our own: not the text of an example, and not one character repeated. */
const secret = z
  .string()
  .min(SECRET_LENGTH, `must have at least ${SECRET_LENGTH} characters`)
  .refine((value) => !isPlaceholder(value), {
    message: 'is a placeholder and no secret: choose one, for example with `openssl rand -hex 24`',
  });

/** Separated by commas, each a secret: the first encrypts, all decrypt. */
const secretList = z.string().superRefine((value, context) => {
  const parts = value.split(',').map((part) => secret.safeParse(part.trim()));
  parts.forEach((part, index) => {
    const which = parts.length > 1 ? `key ${index + 1} of the list ` : '';
    for (const { message } of part.error?.issues ?? []) {
      context.addIssue({ code: 'custom', message: `${which}${message}` });
    }
  });
});

/** `change-me…`, or the same character 8 times and more. */
function isPlaceholder(value: string): boolean {
  return /^\s*change-?me/i.test(value) || /^(.)\1{7,}$/su.test(value);
}

const timezone = z
  .string()
  .refine((value) => canonicalTimezone(value) !== null, { message: 'must be an IANA timezone' })
  .transform((value) => canonicalTimezone(value) ?? value);

/** With an answer after 20 ms that is 19,000 messages a second: more than one worker can send. */
export const DEFAULT_DELIVERY_CONCURRENCY = 384;

/** Separated by commas or white space; in the canonical form. */
const emailList = z.string().transform((value, context) => {
  const parts = value.split(/[\s,;]+/).filter((part) => part !== '');
  return parts.map((part) => {
    const address = canonicalEmail(part);
    if (address !== null) return address;
    const message = `must be e-mail addresses, separated by commas: ${JSON.stringify(part)} is none`;
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });
});

/** An address, or a name and an address in angle brackets, without control characters. */
function isMailbox(value: string): boolean {
  const open = value.endsWith('>') ? value.lastIndexOf('<') : -1;
  if (open < 0) return canonicalEmail(value) !== null;
  const name = value.slice(0, open);
  return !/[\p{C}<>]/u.test(name) && canonicalEmail(value.slice(open + 1, -1)) !== null;
}

const RATE_MESSAGE = 'must be a number above 0 and at most 100000';

/** `0.2` and `20%` are the same. */
const share = z
  .string()
  .regex(/^\d+(\.\d+)? ?%?$/, 'must be a share like 0.2 or 20%')
  .transform((value) => (value.endsWith('%') ? parseFloat(value) / 100 : Number(value)))
  .refine((value) => value > 0 && value <= 1, {
    message: 'must be above 0 and at most 1, or 100%',
  });

/**
 * Every variable that any process reads. `.env.example` documents each; a test compares
 * the two. Processes pick the part they need with `loadConfig`.
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
  NOTIFICATION_API_RATE: z
    .string()
    .regex(/^\d{1,6}(\.\d{1,6})?$/, RATE_MESSAGE)
    .transform(Number)
    .refine((value) => value > 0 && value <= 100_000, RATE_MESSAGE)
    .optional(),
  DELIVERY_CONCURRENCY: wholeNumber(1, 2_000).default(DEFAULT_DELIVERY_CONCURRENCY),
  TELEGRAM_API_URL: url('http:', 'https:').default('https://api.telegram.org'),

  PUBLIC_URL: url('http:', 'https:')
    .transform(withoutTrailingSlashes)
    .default('http://localhost:8000'),

  SMTP_URL: url('smtp:', 'smtps:').optional(),
  MAIL_FROM: z
    .string()
    .refine(isMailbox, { message: 'must be an address, or a name and an <address>' })
    .default('Posthorn <posthorn@localhost>'),
  REPORT_RECIPIENTS: emailList.optional(),
  REPORT_TIME: z
    .string()
    .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time of day, HH:MM')
    .default('09:00'),
  REPORT_LANGUAGE: z.enum(['en', 'ru']).default('en'),
  ALERT_ERROR_RATE: share.default(0.2),
  ALERT_WEBHOOK_URL: url('http:', 'https:').optional(),

  SERVER_TIMEZONE: timezone.default('Europe/Moscow'),
  ADMIN_TOKEN: secret.optional(),
  ENCRYPTION_KEY: secretList.optional(),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),

  SIMULATOR_PORT: port.default(8090),
  SIMULATOR_CONTROL_PORT: port.optional(),
  SIMULATOR_TOKEN: z.string().min(1).optional(),
  SIMULATOR_FAULTS: z.string().optional(),
});

export type Environment = z.infer<typeof environment>;
export type Variable = keyof Environment;

/** Those that hold a secret, a URL with a password included: each also as a file, `NAME_FILE`. */
export const SECRETS: ReadonlySet<Variable> = new Set<Variable>([
  'DATABASE_URL',
  'DATABASE_DIRECT_URL',
  'QUEUE_URL',
  'NOTIFICATION_API_TOKEN',
  'SMTP_URL',
  'ALERT_WEBHOOK_URL',
  'ADMIN_TOKEN',
  'ENCRYPTION_KEY',
  'SIMULATOR_TOKEN',
]);
