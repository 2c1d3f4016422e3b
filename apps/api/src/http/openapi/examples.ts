import type { OpenAPIObject } from '@nestjs/swagger';
import { routesOf, type Schema, schemasOf } from './schema.js';

/**
 * Gives every body, of a request and of an answer, an example that is put together from those of
 * its fields. A field without one leaves the whole without one, which a test notices.
 */
export function addExamples(document: OpenAPIObject): void {
  const schemas = schemasOf(document);
  for (const { operation } of routesOf(document)) {
    const bodies = [operation.requestBody, ...Object.values(operation.responses)];
    for (const body of bodies) {
      if (!body || !('content' in body)) continue;
      for (const media of Object.values(body.content ?? {})) {
        if (!media.schema || media.example !== undefined || media.examples) continue;
        const example = exampleOf(media.schema as Schema, schemas);
        if (example !== undefined) media.example = example;
      }
    }
  }
}

/** An example of a schema, or undefined when some field of it has none. */
function exampleOf(schema: Schema, schemas: Record<string, Schema>): unknown {
  if (schema.example !== undefined) return schema.example;
  if (schema.$ref) {
    const target = schemas[schema.$ref.split('/').at(-1) ?? ''];
    return target && exampleOf(target, schemas);
  }
  if (schema.allOf) {
    const [first, ...rest] = schema.allOf.map((part) => exampleOf(part, schemas));
    return rest.length === 0 ? first : Object.assign({}, first, ...rest);
  }
  if (schema.properties) return exampleOfObject(schema.properties, schemas);
  if (schema.items) {
    const item = exampleOf(schema.items, schemas);
    return item === undefined ? undefined : [item];
  }
  if (schema.anyOf?.[0]) return exampleOf(schema.anyOf[0], schemas);
  // The plugin drops `@example null`.
  const mayBeNull = schema.type?.includes('null') ?? false;
  return schema.enum?.[0] ?? schema.default ?? (mayBeNull ? null : undefined);
}

function exampleOfObject(properties: Record<string, Schema>, schemas: Record<string, Schema>) {
  const written = Object.entries(properties).filter(([, schema]) => !schema.readOnly);
  const entries = written.map(([name, schema]) => [name, exampleOf(schema, schemas)] as const);
  const whole = entries.every(([, value]) => value !== undefined);
  return whole ? Object.fromEntries(entries) : undefined;
}
