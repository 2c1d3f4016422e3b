import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Caller } from '@app/identity';

declare module 'fastify' {
  interface FastifyRequest {
    /** Null on the routes that are open to all. */
    caller: Caller | null;
  }
}

/** The caller, as a parameter of a handler of a guarded route. */
export const CurrentCaller = createParamDecorator((_: unknown, context: ExecutionContext) => {
  const { caller } = context.switchToHttp().getRequest<FastifyRequest>();
  if (!caller) throw new Error('This route is open: there is no caller');
  return caller;
});
