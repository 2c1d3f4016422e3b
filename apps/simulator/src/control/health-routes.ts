import { operation } from './operation.js';
import type { Route } from './route.js';

/** The same paths as in every other process. The simulator depends on nothing. */
export function healthRoutes(): Route[] {
  return ['live', 'ready'].map((kind) => ({
    method: 'GET',
    path: `/health/${kind}`,
    operation: operation({
      tag: 'Health',
      summary: `Says that the process is ${kind}`,
      answer: { type: 'object', example: { status: 'ok', checks: {} } },
    }),
    handle: () => ({ status: 200, json: { status: 'ok', checks: {} } }),
  }));
}
