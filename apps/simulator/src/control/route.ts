import type { Socket } from 'node:net';
import { withoutTrailingSlashes } from '@app/platform';

/** A JSON Schema or another part of an OpenAPI document. */
export type Json = Record<string, unknown>;

export interface ControlRequest {
  /** The value at `{name}` in the path. */
  parameters: Record<string, string>;
  query: URLSearchParams;
  /** @throws DomainError `invalid` when the body is no JSON. */
  json: () => unknown;
  socket: Socket;
}

/** `json` is serialised whole; `pieces` are sent one by one; a status alone has no body. */
export type Answer =
  | { status: number; json: unknown }
  | { status: number; pieces: Iterable<string>; contentType: string }
  | { status: number; file: Buffer; contentType: string }
  | { status: 204 };

/** One operation: how it is reached, how it is documented, and what it does. */
export interface Route {
  method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  /** With `{name}` for a parameter; trailing slashes are accepted. */
  path: string;
  /** The OpenAPI operation object; routes without one are not part of the document. */
  operation?: Json;
  handle: (request: ControlRequest) => Answer | Promise<Answer>;
}

/** @returns the parameters when the path fits the pattern. */
export function matchPath(pattern: string, path: string): Record<string, string> | undefined {
  const wanted = pattern.split('/');
  const found = path.length > 1 ? withoutTrailingSlashes(path).split('/') : ['', ''];
  if (wanted.length !== found.length) return undefined;
  const parameters: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const text = found[index] ?? '';
    if (part.startsWith('{')) parameters[part.slice(1, -1)] = text;
    else if (part !== text) return undefined;
  }
  return parameters;
}
