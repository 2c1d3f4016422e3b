import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import type { FastifyRequest } from 'fastify';
import { MAX_FIELD_ERRORS, invalidFields, pathTo } from '../problems/invalid-fields.js';

/**
 * Refuses a body or a query that the handler does not read at all: a caller who sends
 * `{"codes": ["x"]}` to a route that takes no body expects an effect.
 */
@Injectable()
export class UnreadInputGuard implements CanActivate {
  private readonly known = new WeakMap<object, { body: boolean; query: boolean }>();

  /** @throws DomainError `invalid` */
  canActivate(context: ExecutionContext): boolean {
    const { caller, body, query } = context.switchToHttp().getRequest<FastifyRequest>();
    // The open routes are for probes, which may add parameters.
    if (caller === null) return true;
    const reads = this.readsOf(context);
    const unread = [...(reads.body ? [] : namesIn(body)), ...(reads.query ? [] : namesIn(query))];
    if (unread.length === 0) return true;
    throw invalidFields(
      unread
        .slice(0, MAX_FIELD_ERRORS)
        .map((name) => ({ path: pathTo('', name), message: 'is not a known field' })),
    );
  }

  private readsOf(context: ExecutionContext): { body: boolean; query: boolean } {
    const handler = context.getHandler();
    let reads = this.known.get(handler);
    if (!reads) {
      const parameters: unknown = Reflect.getMetadata(
        ROUTE_ARGS_METADATA,
        context.getClass(),
        handler.name,
      );
      // `3:0` is a parameter of type 3, the first of the handler.
      const types: number[] = Object.keys(parameters ?? {}).map((name) =>
        Number(name.split(':', 1)[0]),
      );
      reads = {
        body: types.includes(RouteParamtypes.BODY),
        query: types.includes(RouteParamtypes.QUERY),
      };
      this.known.set(handler, reads);
    }
    return reads;
  }
}

function namesIn(input: unknown): string[] {
  return typeof input === 'object' && input !== null ? Object.keys(input) : [];
}
