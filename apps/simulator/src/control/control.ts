import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline, Readable } from 'node:stream';
import { DomainError, type Logger } from '@app/platform';
import type { Faults } from '../faults/faults.js';
import type { Received } from '../provider/notification-api.js';
import { readBody } from '../read-body.js';
import type { Refusal } from '../refusal.js';
import { docsRoutes } from './docs-routes.js';
import { faultRoutes } from './fault-routes.js';
import { healthRoutes } from './health-routes.js';
import { openApiDocument } from './openapi.js';
import { problemOf } from './problem.js';
import { receivedRoutes } from './received-routes.js';
import { matchPath, type Answer, type Route } from './route.js';

/** A list of 100,000 ids in fault settings fits. */
const BODY_LIMIT = 8_388_608;

export interface ControlParts {
  received: Received;
  faults: Faults;
  refusal: Refusal;
  hasControlPort: boolean;
  logger: Logger;
}

/** The simulator's own API: what came in, which faults are on, and its documentation. */
export class Control {
  private readonly routes: Route[];

  constructor(private readonly parts: ControlParts) {
    const routes = [...receivedRoutes(parts), ...faultRoutes(parts), ...healthRoutes()];
    this.routes = [...routes, ...docsRoutes(openApiDocument(routes))];
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let answer: Answer;
    try {
      answer = await this.answer(request);
    } catch (error) {
      if (!(error instanceof DomainError)) this.parts.logger.error({ err: error }, 'failed');
      answer = problemOf(error);
    }
    // The port that serves this may be closed by now, and the connection must end with it.
    response.setHeader('Connection', 'close');
    write(response, answer);
  }

  private async answer(request: IncomingMessage): Promise<Answer> {
    const body = await bodyOf(request);
    const url = new URL(request.url ?? '/', 'http://simulator');
    const here = this.routes.flatMap((route) => {
      const parameters = matchPath(route.path, url.pathname);
      return parameters ? [{ route, parameters }] : [];
    });
    const hit = here.find(({ route }) => route.method === request.method);
    if (!hit) {
      const message = here.length > 0 ? 'This path has no such method.' : 'There is no such path.';
      throw new DomainError('not_found', `${message} The routes are listed at /docs.`);
    }
    return hit.route.handle({
      parameters: hit.parameters,
      query: url.searchParams,
      json: () => parseJson(body),
      socket: request.socket,
    });
  }
}

function bodyOf(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    readBody(request, BODY_LIMIT, (body) => {
      if (Buffer.isBuffer(body)) resolve(body);
      else reject(new DomainError('too_large', `The body is ${body}.`));
    });
  });
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    throw new DomainError('invalid', 'The body is not JSON.');
  }
}

function write(response: ServerResponse, answer: Answer): void {
  if ('json' in answer) {
    response.writeHead(answer.status, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(answer.json));
  } else if ('pieces' in answer) {
    response.writeHead(answer.status, { 'Content-Type': answer.contentType });
    // The reader has closed the connection: nothing to do.
    pipeline(Readable.from(answer.pieces), response, () => undefined);
  } else if ('file' in answer) {
    response.writeHead(answer.status, { 'Content-Type': answer.contentType });
    response.end(answer.file);
  } else {
    response.writeHead(answer.status);
    response.end();
  }
}
