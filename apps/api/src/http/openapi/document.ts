import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { ProblemDto } from '../problems/problem.dto.js';
import { VERSIONED } from '../versions/versioned.js';
import { addExamples } from './examples.js';
import { addProblems } from './problems.js';

const DESCRIPTION = `
Posthorn delivers one message to every client that a mailing is for, through an external provider,
and can say for each client what happened and why.

Every request needs an API key, in the header \`token\` or as \`Authorization: Bearer\`. Roles:
\`viewer\` reads, \`operator\` also writes clients, tags and mailings, \`admin\` also keeps keys,
channels and queues.

Errors are problem details (RFC 9457): \`errors\` names every invalid field. Lists answer
\`{items, nextCursor}\`: pass \`nextCursor\` as \`cursor\` to read on, null means that there is no more.
Instants are ISO 8601 with an offset, in answers always UTC. Trailing slashes are accepted. A method
that a path does not have is 405, and \`Allow\` names those that it has.

A client, a tag or a mailing comes with an \`ETag\`, which changes with the resource and not with the
counts of a mailing. Sent back in \`If-Match\` with PUT, PATCH or DELETE it makes sure that nobody has
changed the resource meanwhile: else the answer is 412. What was read can be PUT as it is: fields that
cannot be written are ignored while they are as they were.
`.trim();

/** The OpenAPI document of the running application. */
export function buildDocument(app: INestApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setOpenAPIVersion('3.0.3')
    .setTitle('Posthorn')
    .setDescription(DESCRIPTION)
    .setVersion('1')
    .addApiKey({ type: 'apiKey', in: 'header', name: 'token' }, 'token')
    .addBearerAuth({ type: 'http', scheme: 'bearer', bearerFormat: 'API key' }, 'bearer')
    .addSecurityRequirements('token')
    .addSecurityRequirements('bearer')
    .build();
  const document = SwaggerModule.createDocument(app, config, {
    extraModels: [ProblemDto],
    operationIdFactory: (controller, method) => `${controller.replace('Controller', '')}_${method}`,
  });
  describeSuccess(document);
  describeVersions(document);
  addProblems(document);
  addExamples(document);
  return document;
}

const SUCCESS: Record<string, string> = {
  200: 'Done',
  201: 'Made; the answer is the whole resource, `Location` says where it is',
  204: 'Done; there is nothing to say',
};

function describeSuccess(document: OpenAPIObject): void {
  for (const { operation } of routesOf(document)) {
    for (const [status, response] of Object.entries(operation.responses)) {
      if (response && 'description' in response) response.description ||= SUCCESS[status] ?? '';
    }
  }
}

/** What answers with one resource says so by `@Versioned()`. */
function describeVersions(document: OpenAPIObject): void {
  for (const { operation } of routesOf(document)) {
    const marked = operation as typeof operation & { [VERSIONED]?: boolean };
    if (!marked[VERSIONED]) continue;
    Reflect.deleteProperty(marked, VERSIONED);
    for (const [status, response] of Object.entries(operation.responses)) {
      if (Number(status) < 300 && response && 'description' in response) {
        response.headers = { ...response.headers, ETag: ETAG };
      }
    }
  }
}

const ETAG = {
  description: 'Of the resource as it is now: for `If-Match`',
  schema: { type: 'string', example: '"2jmj7l5rSw0yVb_vlWAYkK"' },
} as const;

type Paths = OpenAPIObject['paths'];
export type Operation = NonNullable<Paths[string]['get']>;

const METHODS = ['get', 'put', 'post', 'delete', 'patch'] as const;

export interface DocumentedRoute {
  path: string;
  method: (typeof METHODS)[number];
  operation: Operation;
}

export function routesOf(document: OpenAPIObject): DocumentedRoute[] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = item[method];
      return operation ? [{ path, method, operation }] : [];
    }),
  );
}
