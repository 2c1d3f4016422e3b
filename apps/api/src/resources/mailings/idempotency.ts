import { createHash } from 'node:crypto';
import {
  type CallHandler,
  createParamDecorator,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
} from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { from, mergeMap, type Observable, of } from 'rxjs';
import { DomainError } from '@app/platform';
import { type IdempotentRequest, MailingService } from '@app/mailings';
import { canonicalJson } from './canonical-json.js';
import { toMailing } from './mailing.mapper.js';

const HEADER = 'idempotency-key';
const REPLAYED_HEADER = 'idempotent-replayed';

/**
 * What the header `Idempotency-Key` of a request says; undefined without it. Keys belong to the API
 * key and the route. Bodies are the same when their JSON means the same: order and white space aside.
 *
 * @throws DomainError `invalid`
 */
function idempotentRequestOf(request: FastifyRequest): IdempotentRequest | undefined {
  const key = request.headers[HEADER];
  if (key === undefined) return undefined;
  if (typeof key !== 'string' || !/^[\x20-\x7e]{1,255}$/.test(key)) {
    throw new DomainError('invalid', 'The Idempotency-Key is not usable', [
      { path: 'Idempotency-Key', message: 'must be 1 to 255 printable ASCII characters' },
    ]);
  }
  const { method, routeOptions, caller } = request;
  return {
    scope: `${caller?.id ?? 0}:${method} ${routeOptions.url ?? ''}`,
    key,
    requestHash: createHash('sha256').update(canonicalJson(request.body)).digest(),
  };
}

/** The idempotent request of a handler, or undefined. */
export const Idempotent = createParamDecorator((_: unknown, context: ExecutionContext) =>
  idempotentRequestOf(context.switchToHttp().getRequest<FastifyRequest>()),
);

/**
 * Answers a repeated creation with what the first one made, before the body is checked: a body that
 * was valid then may name an end that has passed since.
 */
@Injectable()
export class ReplayInterceptor implements NestInterceptor {
  constructor(private readonly mailings: MailingService) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const http = context.switchToHttp();
    const request = idempotentRequestOf(http.getRequest<FastifyRequest>());
    if (!request) return next.handle();
    return from(this.mailings.findReplay(request)).pipe(
      mergeMap((mailing) => {
        if (!mailing) return next.handle();
        markCreated(http.getResponse<FastifyReply>(), mailing.id, true);
        return of(toMailing(mailing));
      }),
    );
  }
}

/** The headers of a 201. */
export function markCreated(reply: FastifyReply, mailingId: number, replayed: boolean): void {
  void reply.header('location', `/mailings/${mailingId}`);
  if (replayed) void reply.header(REPLAYED_HEADER, 'true');
}
