import type { OpenAPIObject } from '@nestjs/swagger';
import {
  nameOfRef,
  type Response,
  responsesOf,
  routesOf,
  type Schema,
  schemasOf,
} from './schema.js';

/**
 * Writes what the framework does not: a number without a `format` that says it is a fraction is a
 * whole one of 64 bits, a pattern uses classes that every language reads the same, and a schema has
 * `examples` as in JSON Schema.
 */
export function refineSchemas(document: OpenAPIObject): void {
  for (const schema of Object.values(schemasOf(document))) refine(schema);
  for (const { operation } of routesOf(document)) {
    for (const parameter of operation.parameters ?? []) {
      if (!('schema' in parameter) || !parameter.schema) continue;
      const schema = parameter.schema as Schema;
      refine(schema);
      if (parameter.in === 'path' && schema.type === 'integer') schema.minimum = 1;
    }
    for (const { response } of responsesOf(operation)) refineHeaders(response.headers);
  }
  refineHeaders(document.components?.headers);
  closeInputs(document);
}

function refineHeaders(headers: Response['headers'] = {}): void {
  for (const header of Object.values(headers)) {
    if ('schema' in header && header.schema) refine(header.schema as Schema);
  }
}

function refine(schema: Schema): void {
  for (const part of partsOf(schema)) refine(part);
  refineNumber(schema);
  if (schema.pattern !== undefined) schema.pattern = schema.pattern.replaceAll('\\d', '[0-9]');
  if (schema.example !== undefined) schema.examples = [schema.example];
  Reflect.deleteProperty(schema, 'example');
}

function refineNumber(schema: Schema): void {
  const types = [schema.type ?? []].flat();
  if (!types.includes('integer') && !types.includes('number')) return;
  if (types.includes('number') && schema.format !== undefined) return;
  const whole = types.map((type) => (type === 'number' ? 'integer' : type));
  schema.type = whole.length === 1 ? whole[0] : whole;
  schema.format ??= 'int64';
}

function partsOf(schema: Schema): Schema[] {
  return [
    ...Object.values(schema.properties ?? {}),
    ...(schema.items ? [schema.items] : []),
    ...(schema.allOf ?? []),
    ...(schema.anyOf ?? []),
  ];
}

/** A field that a request body does not know is refused. Answers may get more fields one day. */
function closeInputs(document: OpenAPIObject): void {
  const schemas = schemasOf(document);
  const close = (schema: Schema): void => {
    if (schema.$ref) {
      const target = schemas[nameOfRef(schema.$ref)];
      if (target && target.additionalProperties === undefined) close(target);
      return;
    }
    if (schema.properties) schema.additionalProperties = false;
    for (const part of partsOf(schema)) close(part);
  };
  for (const { operation } of routesOf(document)) {
    const body = operation.requestBody;
    if (!body || !('content' in body)) continue;
    for (const media of Object.values(body.content))
      if (media.schema) close(media.schema as Schema);
  }
}
