/**
 * Routes without a key: docs, health, and the queue inspector, which has a guard of its own because
 * browsers reach it with a session instead of a header.
 */
const OPEN = [/^\/docs(-json|-yaml)?(\/|$)/, /^\/redoc(\/|$)/, /^\/health\//, /^\/queues(\/|$)/];

export function isOpen(routeUrl: string): boolean {
  return OPEN.some((pattern) => pattern.test(routeUrl));
}
