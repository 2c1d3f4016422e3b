import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { ProblemDto } from '../problems/problem.dto.js';
import { addExamples } from './examples.js';
import { declareHeaders } from './headers.js';
import { refineSchemas } from './refine-schemas.js';
import { addProblems } from './problems.js';
import { responsesOf, routesOf } from './schema.js';
import { splitSummaries } from './summaries.js';
import { TAGS } from './tags.js';

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

/** The OpenAPI document of the application, which need not be connected to anything. */
export function buildDocument(app: INestApplication): OpenAPIObject {
  const document = SwaggerModule.createDocument(app, settings(), {
    extraModels: [ProblemDto],
    operationIdFactory: (controller, method) => `${controller.replace('Controller', '')}_${method}`,
  });
  splitSummaries(document);
  describeSuccess(document);
  declareHeaders(document);
  addProblems(document);
  addExamples(document);
  refineSchemas(document);
  return inStableOrder(document);
}

function settings() {
  const builder = new DocumentBuilder()
    .setOpenAPIVersion('3.1.1')
    .setTitle('Posthorn')
    .setDescription(DESCRIPTION)
    .setVersion('1')
    .addServer('/', 'The installation that serves this document')
    .addApiKey({ type: 'apiKey', in: 'header', name: 'token' }, 'token')
    .addBearerAuth({ type: 'http', scheme: 'bearer', bearerFormat: 'API key' }, 'bearer')
    .addSecurityRequirements('token')
    .addSecurityRequirements('bearer');
  for (const [name, description] of Object.entries(TAGS)) builder.addTag(name, description);
  return builder.build();
}

const SUCCESS: Record<number, string> = {
  200: 'Done',
  201: 'Made; the answer is the whole resource, `Location` says where it is',
  204: 'Done; the answer has no content',
};

function describeSuccess(document: OpenAPIObject): void {
  for (const { operation } of routesOf(document)) {
    for (const { status, response } of responsesOf(operation)) {
      response.description ||= SUCCESS[status] ?? '';
    }
  }
}

/** The file of the document shows what changed, whatever order the modules are loaded in. */
function inStableOrder(document: OpenAPIObject): OpenAPIObject {
  const { paths, components = {} } = document;
  return {
    ...document,
    paths: sorted(paths),
    components: Object.fromEntries(
      Object.entries(components).map(([kind, named]) => [kind, sorted(named)]),
    ),
  };
}

function sorted<Named extends object>(named: Named): Named {
  const entries = Object.entries(named).sort(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(entries) as Named;
}
