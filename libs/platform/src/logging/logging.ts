import { format } from 'node:util';
import { LoggerModule } from 'nestjs-pino';
import { pino, type Logger, type LoggerOptions } from 'pino';

import { logStream } from './log-stream.js';

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

/** One JSON line per entry on stdout, which nothing waits for; see `LogStream`. */
export function createLogger(name: string, level: string): Logger {
  return pino(loggerOptions(name, level), logStream());
}

/**
 * What libraries write to the console (the queue's client about its server, the runtime about old
 * ways) goes through the logger too: stdout is JSON lines from all sources.
 */
export function captureConsole(logger: Logger): void {
  const through = (level: 'debug' | 'info' | 'warn' | 'error') => {
    return (...words: unknown[]) => {
      logger[level](format(...words).trim());
    };
  };
  Object.assign(console, {
    debug: through('debug'),
    log: through('info'),
    info: through('info'),
    warn: through('warn'),
    error: through('error'),
    trace: through('debug'),
  });
  process.removeAllListeners('warning');
  process.on('warning', ({ name, message }) => {
    logger.warn({ warning: name }, message);
  });
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
