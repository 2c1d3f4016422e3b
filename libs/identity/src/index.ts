export { fingerprintOf, hashOfKey, isKey } from './api-key.js';
export { ApiKeyLookup } from './api-key-lookup.js';
export type { BootstrapResult } from './api-key.queries.js';
export { ApiKeyService, type Bootstrapped, type NewKey } from './api-key.service.js';
export type { Caller } from './caller.js';
export { includesRole } from './roles.js';
