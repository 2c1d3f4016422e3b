import { jsonContent } from './operation.js';
import type { Json, Route } from './route.js';
import { schemas } from './schemas.js';

const sendAnswer = (description: string) => ({
  description,
  content: jsonContent({ $ref: '#/components/schemas/SendAnswer' }),
});

/** The provider's route, from its specification. */
const send: Json = {
  tags: ['Notification API'],
  summary: 'Sends one message',
  description: 'The stand-in for the external service. What else may come back is set at /faults.',
  security: [{ token: [] }],
  parameters: [
    {
      name: 'msgId',
      in: 'path',
      required: true,
      schema: { type: 'integer', format: 'int64' },
    },
  ],
  requestBody: { required: true, content: jsonContent({ $ref: '#/components/schemas/Send' }) },
  responses: {
    200: sendAnswer('The message was taken'),
    400: sendAnswer('The request is wrong'),
    401: sendAnswer('The token is wrong or has expired'),
  },
};

/** The OpenAPI document of the routes and of the provider's API. */
export function openApiDocument(routes: readonly Route[]): Json {
  const paths: Record<string, Json> = { '/v1/send/{msgId}': { post: send } };
  for (const { path, method, operation } of routes) {
    if (operation) paths[path] = { ...paths[path], [method.toLowerCase()]: operation };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Posthorn simulator',
      version: '1.0.0',
      description: 'A stand-in for the notification API, with a log and with faults on demand.',
    },
    paths,
    components: {
      schemas,
      securitySchemes: { token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
    },
  };
}
