import type { FastifyInstance } from 'fastify';

const KIB = 1024;

/** What the largest valid body of a route can take, by the route's URL; the first that fits counts. */
const LIMITS: readonly [RegExp, number][] = [
  // Ten thousand phones in a filter are a tenth of this.
  [/^\/mailings(\/|$)/, 1024 * KIB],
  [/^\/clients(\/|$)/, 1024 * KIB],
];
/** A provider's token of 8 KiB is the largest field elsewhere. */
const OTHERS = 64 * KIB;

/** In bytes. */
function bodyLimitOf(routeUrl: string): number {
  return LIMITS.find(([pattern]) => pattern.test(routeUrl))?.[1] ?? OTHERS;
}

/** `64 KiB`, for people. */
export function bodyLimitInWords(routeUrl: string): string {
  const limit = bodyLimitOf(routeUrl) / KIB;
  return limit % KIB === 0 ? `${limit / KIB} MiB` : `${limit} KiB`;
}

/** Before any route is added. */
export function limitBodies(server: FastifyInstance): void {
  server.addHook('onRoute', (route) => {
    route.bodyLimit ??= bodyLimitOf(route.url);
  });
}
