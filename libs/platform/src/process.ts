import { setFlagsFromString } from 'node:v8';
import type { LoggerService, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Logger as NestLogger } from 'nestjs-pino';
import { ConfigError } from './config/load-config.js';
import { writeLastWords } from './logging/log-stream.js';
import { captureConsole, type Logger } from './logging/logging.js';
import { giveUpWork } from './stopping.js';

/** After this a stop ends what it waits for: longer than one call to the provider may take. */
const GIVE_UP_MS = 15_000;
const GIVE_UP_EVERY_MS = 250;
/** A stop that takes longer than this is cut off, so that an orchestrator never has to kill us. */
const STOP_LIMIT_MS = 17_500;

export interface ProcessOptions {
  logger: Logger;
  host: string;
  port: number;
  module: Type | object;
  /** Fastify settings and everything that must happen before the first request. */
  adapter?: FastifyAdapter;
  prepare?: (app: NestFastifyApplication) => Promise<void> | void;
}

/** Starts one HTTP-serving process and stops it cleanly on SIGTERM and SIGINT with status 0. */
export async function runProcess(options: ProcessOptions): Promise<NestFastifyApplication> {
  const { logger } = options;
  captureConsole(logger);
  const app = await NestFactory.create<NestFastifyApplication>(
    options.module,
    options.adapter ?? new FastifyAdapter(),
    // Each process says itself what bodies it takes, if any.
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- Nest takes a plain object; its class is only a type
    { bufferLogs: true, abortOnError: false, bodyParser: false },
  );
  app.useLogger(quietStart(app.get(NestLogger)));
  await options.prepare?.(app);
  stopOnSignal(app, logger);
  await app.listen(options.port, options.host);
  logger.info({ address: await app.getUrl() }, 'started');
  return app;
}

/** Where the framework lists what it wires up, sixty lines of a start. */
const WIRING = new Set([
  'NestFactory',
  'InstanceLoader',
  'RoutesResolver',
  'RouterExplorer',
  'NestApplication',
]);

/** The framework's account of its own start is for debugging only. */
function quietStart(logger: NestLogger): LoggerService {
  return Object.assign(Object.create(logger) as NestLogger, {
    log: (message: unknown, ...rest: unknown[]) => {
      if (WIRING.has(String(rest.at(-1)))) logger.debug(message, ...rest);
      else logger.log(message, ...rest);
    },
  });
}

function stopOnSignal(app: NestFastifyApplication, logger: Logger): void {
  let stopping = false;
  const stop = (signal: string) => {
    if (stopping) return;
    stopping = true;
    logger.info({ signal }, 'stopping');
    setTimeout(() => {
      logger.warn('the stop takes long: the work under way is given up');
      // More than once, for what has failed may be tried again.
      setInterval(() => void giveUpWork(logger), GIVE_UP_EVERY_MS).unref();
    }, GIVE_UP_MS).unref();
    // As after a kill, which loses nothing either; a status other than 0 would call it a fault.
    setTimeout(() => {
      logger.warn('the stop took too long and is cut off');
      process.exit(0);
    }, STOP_LIMIT_MS).unref();
    app.close().then(
      () => {
        logger.info('stopped');
        process.exit(0);
      },
      (error: unknown) => {
        logger.error({ err: error }, 'the stop failed');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

/**
 * On a large machine V8 lets garbage grow to hundreds of megabytes before it looks for it. Our
 * memory is what is in flight, so the old generation may grow by this much between collections:
 * measured at 60,000 messages, the worker peaks at 300 MB instead of 450 MB and is as fast.
 */
const HEAP_GROWING_PERCENT = 30;

/** The entry of every main.ts: a wrong setting ends the process with a readable message, status 1. */
export function main(start: () => Promise<unknown>): void {
  setFlagsFromString(`--heap-growing-percent=${HEAP_GROWING_PERCENT}`);
  process.on('unhandledRejection', fail);
  process.on('uncaughtException', fail);
  start().catch(fail);
}

function fail(error: unknown): void {
  const text =
    error instanceof ConfigError
      ? error.message
      : error instanceof Error
        ? (error.stack ?? error.message)
        : String(error);
  writeLastWords(`${text}\n`);
  process.exit(1);
}
