import { UnsupportedMediaTypeException } from '@nestjs/common';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { parseJsonBody } from './json-body.js';

/** `application/json` and its relatives (`application/merge-patch+json`), with any parameters. */
const JSON_TYPE = /^application\/([\w.-]+\+)?json(?:\s*;|$)/i;
const CHARSET = /;\s*charset\s*=\s*"?([^\s;"]*)/i;

/** Bodies are JSON; anything else is 415. An empty body with that content type is no body. */
export function acceptJsonOnly(server: FastifyInstance): void {
  server.removeAllContentTypeParsers();
  refuseForeignEncodings(server);
  server.addContentTypeParser<Buffer>(JSON_TYPE, { parseAs: 'buffer' }, (_request, body, done) => {
    try {
      done(null, parseJsonBody(body));
    } catch (error) {
      done(error as Error);
    }
  });
}

/** Bytes are read as UTF-8 and nothing else: a body with another charset is refused. */
function refuseForeignEncodings(server: FastifyInstance): void {
  server.addHook('preParsing', (request, reply, _payload, done) => {
    const refusal = hasBody(request) ? encodingFault(request) : null;
    if (refusal === null) {
      done();
      return;
    }
    void reply.header('accept-encoding', 'identity');
    done(new UnsupportedMediaTypeException(refusal));
  });
}

function hasBody({ headers }: FastifyRequest): boolean {
  const length = headers['content-length'];
  return headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0');
}

/** The encoding in the headers that we do not read; null when there is none. */
function encodingFault({ headers }: FastifyRequest): string | null {
  const encoding = headers['content-encoding']?.trim().toLowerCase() ?? 'identity';
  if (encoding !== 'identity')
    return 'The body must not be compressed: send it without Content-Encoding';
  const charset = CHARSET.exec(headers['content-type'] ?? '')?.[1]?.toLowerCase() ?? 'utf-8';
  if (charset !== 'utf-8' && charset !== 'utf8')
    return 'The body must be UTF-8: no other charset is read';
  return null;
}
