import { LoggerModule } from 'nestjs-pino';
import { pino, type Logger, type LoggerOptions } from 'pino';

export type { Logger } from 'pino';

/** Keys that must never reach a log, wherever they stand in the object. */
const SECRET_KEYS = ['authorization', 'token', 'cookie', 'password', 'phone'];

export function loggerOptions(name: string, level: string): LoggerOptions {
  return {
    name,
    level,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: {
      paths: SECRET_KEYS.flatMap((key) => [key, `*.${key}`, `*.*.${key}`, `*["set-cookie"]`]),
      censor: '[hidden]',
    },
  };
}

/** One JSON line per entry on stdout. */
export function createLogger(name: string, level: string): Logger {
  return pino(loggerOptions(name, level));
}

/** Nest's own messages and a line per failed request go through the same logger. */
export function loggingModule(logger: Logger) {
  return LoggerModule.forRoot({
    pinoHttp: {
      logger,
      autoLogging: false,
      quietReqLogger: true,
      serializers: { req: () => undefined, res: () => undefined },
    },
  });
}
