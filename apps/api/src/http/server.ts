import { randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { ApiKeyLookup } from '@app/identity';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { guardRoutes } from './auth/authenticate.js';
import { serveDocs } from './openapi/serve-docs.js';
import { problem, problemOf, sendProblem } from './problems/problem.js';
import { Inspector } from '../queues/inspector.js';
import { refuseWrongMethods } from './routing/allowed-methods.js';
import { limitBodies } from './body/body-limit.js';
import { acceptJsonOnly } from './body/body-parser.js';
import { isOpen } from './auth/open-routes.js';
import { measureRequests } from './request-metrics.js';
import { refuseUnreadable } from './problems/unreadable.js';
import { refuseUnreadableUrls } from './routing/url-text.js';

/** A request that has not arrived in full by then is refused. */
const REQUEST_TIMEOUT_MS = 30_000;

export function createAdapter(): FastifyAdapter {
  return new FastifyAdapter({
    requestTimeout: REQUEST_TIMEOUT_MS,
    // Unique over all processes and starts: it is in the log, and with each change.
    genReqId: () => randomUUID(),
    routerOptions: { ignoreTrailingSlash: true },
    // What the router refuses before any hook or filter runs, e.g. a malformed URL.
    frameworkErrors: (error: FastifyError, _request: FastifyRequest, reply: FastifyReply) => {
      const tooLong = error.code === 'FST_ERR_MAX_PARAM_LENGTH';
      sendProblem(
        reply,
        tooLong ? problem(404, 'There is nothing with this id') : problemOf(error),
      );
    },
    clientErrorHandler: refuseUnreadable,
  });
}

/** Everything between the socket and the controllers, in this order. */
export function prepareServer(app: NestFastifyApplication): void {
  const server = app.getHttpAdapter().getInstance();
  logRoutes(server);
  limitBodies(server);
  measureRequests(server);
  guardRoutes(server, app.get(ApiKeyLookup), isOpen);
  refuseWrongMethods(server);
  acceptJsonOnly(server);
  refuseUnreadableUrls(server);
  serveDocs(app, server);
  app.get(Inspector).register(server);
}

/** The routes as served, for debugging and for the test that compares the documentation with them. */
function logRoutes(server: FastifyInstance): void {
  const logger = new Logger('Routes');
  server.addHook('onRoute', ({ method, url }) => {
    for (const each of [method].flat()) logger.debug(`${each} ${url}`);
  });
}
