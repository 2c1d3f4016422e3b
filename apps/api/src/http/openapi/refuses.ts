import { applyDecorators } from '@nestjs/common';
import { ApiResponse } from '@nestjs/swagger';

/** Carries the codes of a refusal to where its example is made; taken out again there. */
export const CODES = 'x-codes';

/**
 * Documents why a route may refuse, e.g. `@Refuses(409, 'There is a client with this phone', 'phone_taken')`.
 * What every route of its kind may answer (401, 403, 404 of an id, 400 and 413 of a body …) is added
 * to the document by itself.
 *
 * @param codes what `code` of the problem may be; left out: the kind of the status.
 */
export function Refuses(
  status: number,
  description: string,
  ...codes: string[]
): ClassDecorator & MethodDecorator {
  return applyDecorators(ApiResponse({ status, description, ...{ [CODES]: codes } }));
}
