import { createHash } from 'node:crypto';
import {
  applyDecorators,
  type CallHandler,
  createParamDecorator,
  type ExecutionContext,
  Inject,
  Injectable,
  mixin,
  type NestInterceptor,
  type Type,
  UseInterceptors,
} from '@nestjs/common';
import { ApiHeader } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { from, mergeMap, type Observable, of } from 'rxjs';
import { actorRef } from '@app/audit';
import type { IdempotentRequest } from '@app/idempotency';
import { DomainError } from '@app/platform';
import { requesterOf } from '../auth/caller.js';
import { canonicalJson } from './canonical-json.js';

const HEADER = 'idempotency-key';
const REPLAYED_HEADER = 'idempotent-replayed';

/**
 * The header `Idempotency-Key` of a request; undefined without it. Keys belong to the caller.
 * Two requests ask for the same when their path's parameters and the JSON of their bodies mean the
 * same: order and white space aside.
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
  const { params, body = null } = request;
  return {
    scope: actorRef(requesterOf(request)),
    key,
    requestHash: createHash('sha256').update(canonicalJson({ params, body })).digest(),
  };
}

/** The idempotent request of a handler with `@Idempotent()`, or undefined. */
export const IdempotencyKey = createParamDecorator((_: unknown, context: ExecutionContext) =>
  idempotentRequestOf(context.switchToHttp().getRequest<FastifyRequest>()),
);

interface Creation<Resource> {
  /** Finds what an earlier request with the same key made. */
  service: Type<{ findReplay: (request: IdempotentRequest) => Promise<Resource | null> }>;
  toDto: (resource: Resource) => object;
  /** Sets further headers of the answer: `Location`. */
  tell?: (reply: FastifyReply, resource: Resource) => void;
}

/**
 * The handler makes something, once per `Idempotency-Key`, and takes `@IdempotencyKey()`. To stand above
 * `@Versioned()`, so that a replayed answer passes it, too. Not for answers with a secret.
 */
export function Idempotent<Resource>(creation: Creation<Resource>): MethodDecorator {
  return applyDecorators(
    UseInterceptors(replayInterceptor(creation)),
    ApiHeader({
      name: 'Idempotency-Key',
      required: false,
      description:
        'Any text of 1 to 255 printable ASCII characters that names this request. The same request with the same API key within 24 hours answers with what the first one made',
      schema: { type: 'string', example: '5f1c2c9e-8f0b-4b0e-9d5e-0c1d5f2a7b11' },
    }),
  );
}

/**
 * Answers a repeated request with what the first one made, before the body is checked: a body that
 * was valid then may name an end that has passed since.
 */
function replayInterceptor<Resource>({ service, toDto, tell }: Creation<Resource>) {
  @Injectable()
  class ReplayInterceptor implements NestInterceptor {
    @Inject(service) private readonly resources: InstanceType<typeof service>;

    intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
      const http = context.switchToHttp();
      const request = idempotentRequestOf(http.getRequest<FastifyRequest>());
      if (!request) return next.handle();
      return from(this.resources.findReplay(request)).pipe(
        mergeMap((resource) => {
          if (resource === null) return next.handle();
          const reply = http.getResponse<FastifyReply>();
          tellReplayed(reply, true);
          tell?.(reply, resource);
          return of(toDto(resource));
        }),
      );
    }
  }
  return mixin(ReplayInterceptor);
}

/** The header of a replayed answer. */
export function tellReplayed(reply: FastifyReply, replayed: boolean): void {
  if (replayed) void reply.header(REPLAYED_HEADER, 'true');
}
