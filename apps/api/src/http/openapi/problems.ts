import { getSchemaPath, type OpenAPIObject } from '@nestjs/swagger';
import { ProblemDto } from '../problems/problem.dto.js';
import { problem } from '../problems/problem.js';
import { bodyLimitInWords } from '../body/body-limit.js';
import { headersOfRefusal } from './headers.js';
import { CODES } from './refuses.js';
import { type DocumentedRoute, type Response, responsesOf, routesOf } from './schema.js';

/** What every route of a kind may refuse: the name of the shared response, and what it means. */
const SHARED: Record<number, [name: string, meaning: string]> = {
  400: ['Invalid', 'Something in the request is invalid; `errors` names every field'],
  401: ['Unauthenticated', 'No API key, or one that is unknown, expired or revoked'],
  403: ['Forbidden', 'The role of the API key does not allow this'],
  404: ['NotFound', 'There is nothing with this id'],
  415: ['UnsupportedMediaType', 'The body is not `application/json` in UTF-8, or it is compressed'],
  500: ['InternalError', 'A fault on our side'],
  503: ['Unavailable', 'The database cannot be reached at the moment; try again shortly'],
};

/** Documents what every route of a kind may refuse, and gives each refusal its schema and example. */
export function addProblems(document: OpenAPIObject): void {
  document.components ??= {};
  const shared = (document.components.responses ??= {});
  for (const route of routesOf(document)) {
    const { operation } = route;
    for (const { status, response } of responsesOf(operation)) {
      if (status < 400) continue;
      const codes = takeCodes(response);
      Object.assign(response, refusal(status, response.description, codes));
    }
    for (const status of generalStatuses(route)) {
      if (operation.responses[status]) continue;
      const [name, meaning] = sharedRefusal(status, route);
      shared[name] ??= refusal(status, meaning);
      operation.responses[status] = { $ref: `#/components/responses/${name}` };
    }
  }
}

function takeCodes(response: Response & { [CODES]?: string[] }): string[] {
  const codes = response[CODES] ?? [];
  Reflect.deleteProperty(response, CODES);
  return codes;
}

function refusal(status: number, description: string, codes: string[] = []) {
  const headers = headersOfRefusal(status);
  const named = codes.map((code) => `\`${code}\``).join(', ');
  return {
    description: named === '' ? description : `${description}. Codes: ${named}`,
    ...(Object.keys(headers).length > 0 && { headers }),
    content: {
      'application/problem+json': {
        schema: { $ref: getSchemaPath(ProblemDto) },
        example: { ...exampleFor(status, description), ...(codes[0] && { code: codes[0] }) },
      },
    },
  };
}

function sharedRefusal(status: number, { path }: DocumentedRoute): [name: string, meaning: string] {
  if (status === 413) {
    const limit = bodyLimitInWords(path);
    return [`LargerThan${limit.replace(' ', '')}`, `The body is larger than ${limit}`];
  }
  return SHARED[status] ?? [`Status${status}`, ''];
}

function generalStatuses({ operation }: DocumentedRoute): number[] {
  const parameters = operation.parameters ?? [];
  const inPath = parameters.some((parameter) => 'in' in parameter && parameter.in === 'path');
  const body = operation.requestBody !== undefined;
  return [...[400, 401, 403], ...(inPath ? [404] : []), ...(body ? [413, 415] : []), ...[500, 503]];
}

function exampleFor(status: number, description: string): ProblemDto {
  const detail = description.replaceAll('`', '');
  const fields = [
    { path: 'phone', message: 'must be 7XXXXXXXXXX: the digit 7 and ten more digits' },
  ];
  return status === 400
    ? problem(400, '1 field is invalid: phone', fields)
    : problem(status, detail);
}
