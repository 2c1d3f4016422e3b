import {
  applyDecorators,
  type CallHandler,
  createParamDecorator,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
  UseInterceptors,
} from '@nestjs/common';
import { ApiExtension, ApiHeader } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { map, type Observable } from 'rxjs';
import { Refuses } from '../openapi/refuses.js';
import { entityTagOf, type IfMatch, parseIfMatch } from './entity-tag.js';

/** Marks in the document the operations that answer with an `ETag`; removed when they are described. */
export const VERSIONED = 'x-versioned';

@Injectable()
class EntityTagInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    return next.handle().pipe(
      map((resource: unknown) => {
        if (typeof resource === 'object' && resource !== null) {
          void reply.header('etag', entityTagOf(resource));
        }
        return resource;
      }),
    );
  }
}

/** The handler answers with one resource: the answer has its `ETag`. */
export function Versioned(): MethodDecorator {
  return applyDecorators(UseInterceptors(EntityTagInterceptor), ApiExtension(VERSIONED, true));
}

/** The handler changes one resource, and takes `@IfMatchHeader()`. */
export function TakesIfMatch(): MethodDecorator {
  return applyDecorators(
    ApiHeader({
      name: 'If-Match',
      required: false,
      description:
        'The `ETag` of the resource as you read it, several of them, or `*`: nothing changes unless it is still so',
      schema: { type: 'string', example: '"2jmj7l5rSw0yVb_vlWAYkK"' },
    }),
    Refuses(412, 'It has changed since the answer with the `ETag` in `If-Match`'),
  );
}

/** The header `If-Match`; undefined without it. */
export const IfMatchHeader = createParamDecorator(
  (_: unknown, context: ExecutionContext): IfMatch | undefined => {
    const header = context.switchToHttp().getRequest<FastifyRequest>().headers['if-match'];
    return header === undefined ? undefined : parseIfMatch(header);
  },
);
