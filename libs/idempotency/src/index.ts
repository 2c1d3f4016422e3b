export { type Created, createOnce, findReplay } from './create-once.js';
export type { IdempotentRequest } from './idempotency.queries.js';
