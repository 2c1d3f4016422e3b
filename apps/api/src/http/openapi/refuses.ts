import { applyDecorators } from '@nestjs/common';
import { ApiResponse } from '@nestjs/swagger';

/**
 * Documents why a route may refuse, e.g. `@Refuses(409, 'There is a client with this phone')`. What
 * every route of its kind may answer (401, 403, 404 of an id, 400 and 413 of a body …) is added to
 * the document by itself.
 */
export function Refuses(status: number, description: string): ClassDecorator & MethodDecorator {
  return applyDecorators(ApiResponse({ status, description }));
}
