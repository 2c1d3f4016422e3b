import type { OpenAPIObject } from '@nestjs/swagger';

/** What we read and write of a JSON Schema in the document. */
export interface Schema {
  $ref?: string;
  type?: string | string[];
  format?: string;
  description?: string;
  example?: unknown;
  examples?: unknown[];
  default?: unknown;
  enum?: unknown[];
  pattern?: string;
  readOnly?: boolean;
  minimum?: number;
  items?: Schema;
  allOf?: Schema[];
  anyOf?: Schema[];
  properties?: Record<string, Schema>;
  additionalProperties?: boolean | Schema;
}

type Paths = OpenAPIObject['paths'];
export type Operation = NonNullable<Paths[string]['get']>;
type AnyResponse = NonNullable<Operation['responses'][string]>;
/** A response that is written out, not a reference to one. */
export type Response = Exclude<AnyResponse, { $ref: string }>;

export const METHODS = ['get', 'put', 'post', 'delete', 'patch'] as const;

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

export function responsesOf({ responses }: Operation): { status: number; response: Response }[] {
  return Object.entries(responses).flatMap(([status, response]) =>
    response && !('$ref' in response) ? [{ status: Number(status), response }] : [],
  );
}

export function schemasOf(document: OpenAPIObject): Record<string, Schema> {
  return (document.components?.schemas ?? {}) as Record<string, Schema>;
}

/** The schema of that name that a `$ref` points to. */
export function nameOfRef(ref: string): string {
  return ref.split('/').at(-1) ?? '';
}
