import { getSchemaPath, type OpenAPIObject } from '@nestjs/swagger';
import { ProblemDto } from '../problems/problem.dto.js';
import { problem } from '../problems/problem.js';
import { bodyLimitInWords } from '../body/body-limit.js';
import { type DocumentedRoute, routesOf } from './document.js';

const MEANING: Record<number, string> = {
  400: 'Something in the request is invalid; `errors` names every field',
  401: 'No API key, or one that is unknown, expired or revoked',
  403: 'The role of the API key does not allow this',
  404: 'There is nothing with this id',
  415: 'The body is not `application/json` in UTF-8, or it is compressed',
  500: 'A fault on our side',
  503: 'The database cannot be reached at the moment; try again shortly',
};

/** Documents what every route of a kind may refuse, and gives each refusal its schema and example. */
export function addProblems(document: OpenAPIObject): void {
  for (const route of routesOf(document)) {
    const responses = route.operation.responses;
    for (const status of generalStatuses(route)) {
      responses[status] ??= { description: meaningOf(status, route) };
    }
    for (const [status, response] of Object.entries(responses)) {
      if (Number(status) < 400 || !response || '$ref' in response) continue;
      response.content = {
        'application/problem+json': {
          schema: { $ref: getSchemaPath(ProblemDto) },
          example: exampleFor(Number(status), response.description),
        },
      };
    }
  }
}

function meaningOf(status: number, { path }: DocumentedRoute): string {
  if (status === 413) return `The body is larger than ${bodyLimitInWords(path)}`;
  return MEANING[status] ?? '';
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
