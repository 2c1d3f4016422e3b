import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Requester } from '@app/audit';
import type { Caller } from '@app/identity';

declare module 'fastify' {
  interface FastifyRequest {
    /** Null on the routes that are open to all. */
    caller: Caller | null;
  }
}

/** @throws Error on a route that is open to all */
export function requesterOf({ caller, ip, id }: FastifyRequest): Requester {
  if (!caller) throw new Error('This route is open: there is no caller');
  return { kind: 'key', ...caller, address: ip, requestId: id };
}

/** Who sent the request, as a parameter of a handler of a guarded route. */
export const CurrentActor = createParamDecorator((_: unknown, context: ExecutionContext) =>
  requesterOf(context.switchToHttp().getRequest<FastifyRequest>()),
);
