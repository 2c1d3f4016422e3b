import { MethodNotAllowedException } from '@nestjs/common';
import type { FastifyInstance } from 'fastify';

/** The methods of one path or pattern of paths. */
interface Resource {
  /** `/mailings/:/pause` is `['mailings', ':', 'pause']`. */
  segments: string[];
  methods: Set<string>;
}

/**
 * Answers 405 with `Allow` where a path exists and the method does not. The router only knows that it
 * has found nothing, or takes `GET /mailings/preview` for a mailing whose id is `preview`.
 */
export function refuseWrongMethods(server: FastifyInstance): void {
  const resources = new Map<string, Resource>();
  server.addHook('onRoute', ({ method, url }) => {
    const key = patternOf(url);
    const resource = resources.get(key) ?? {
      segments: key.split('/').slice(1),
      methods: new Set(),
    };
    for (const each of [method].flat()) resource.methods.add(each);
    resources.set(key, resource);
  });
  server.addHook('onRequest', (request, reply, done) => {
    const path = withoutSlash(request.url.split('?', 1)[0] ?? '');
    const matched = patternOf(request.routeOptions.url ?? '');
    const resource = resources.get(path) ?? (request.is404 ? find(resources, path) : undefined);
    if (!resource || (!request.is404 && matched === path) || resource.methods.has(request.method)) {
      done();
      return;
    }
    const allowed = [...resource.methods].sort().join(', ');
    void reply.header('allow', allowed);
    done(new MethodNotAllowedException(`${request.method} is not possible here, only ${allowed}`));
  });
}

/** Of all that fit, the one with the most segments of its own. */
function find(resources: Map<string, Resource>, path: string): Resource | undefined {
  const parts = path.split('/').slice(1);
  const own = ({ segments }: Resource) => segments.filter((segment) => segment !== ':').length;
  return [...resources.values()]
    .filter(({ segments }) => fits(segments, parts))
    .sort((one, other) => own(other) - own(one))[0];
}

function fits(segments: string[], parts: string[]): boolean {
  const open = segments.at(-1) === '*';
  if (open ? parts.length < segments.length : parts.length !== segments.length) return false;
  return segments.every(
    (segment, at) => segment === '*' || segment === parts[at] || (segment === ':' && parts[at]),
  );
}

/** Patterns that differ in the names of their parameters only are the same. */
function patternOf(url: string): string {
  return withoutSlash(url).replaceAll(/:[^/]+/g, ':');
}

function withoutSlash(path: string): string {
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}
