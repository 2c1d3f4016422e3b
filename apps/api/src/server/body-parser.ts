import type { FastifyInstance } from 'fastify';

/** `application/json` and its relatives (`application/merge-patch+json`), with any parameters. */
const JSON_TYPE = /^application\/([\w.-]+\+)?json(?:\s*;|$)/i;

/** Bodies are JSON; anything else is 415. An empty body with that content type is no body. */
export function acceptJsonOnly(server: FastifyInstance): void {
  const parse = server.getDefaultJsonParser('error', 'error');
  server.removeAllContentTypeParsers();
  server.addContentTypeParser<string>(JSON_TYPE, { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, undefined);
    else void parse(request, body, done);
  });
}
