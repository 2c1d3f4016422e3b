import type { Json } from './route.js';

interface Description {
  tag: string;
  summary: string;
  description?: string;
  parameters?: Json[];
  body?: Json;
  /** Schema of the 200; without one the operation answers 204. */
  answer?: Json;
  errors?: Record<string, string>;
}

/** An OpenAPI operation object in this project's usual form. */
export function operation(about: Description): Json {
  const { tag, summary, description, parameters, body, answer, errors = {} } = about;
  const problems = Object.entries(errors).map(([status, text]) => [
    status,
    {
      description: text,
      content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
    },
  ]);
  return {
    tags: [tag],
    summary,
    ...(description && { description }),
    ...(parameters && { parameters }),
    ...(body && { requestBody: { required: true, content: jsonContent(body) } }),
    responses: {
      ...(answer
        ? { 200: { description: 'Done', content: jsonContent(answer) } }
        : { 204: { description: 'Done' } }),
      ...(Object.fromEntries(problems) as Json),
    },
  };
}

export function jsonContent(schema: Json): Json {
  return { 'application/json': { schema } };
}

export function queryParameter(name: string, description: string, schema: Json): Json {
  return { name, in: 'query', description, schema };
}
