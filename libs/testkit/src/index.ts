export {
  admin,
  startPostgres,
  type PostgresOptions,
  type RunningPostgres,
} from './embedded-postgres.js';
export { reachableFolder } from './private-folders.js';
export { freePort } from './free-port.js';
export {
  createTestDatabase,
  TEMPLATE_DATABASE,
  TEST_POSTGRES,
  type TestDatabase,
} from './test-database.js';
export { startTestServices, type TestServices } from './test-services.js';
export {
  startProcess,
  type Exit,
  type ProcessName,
  type RunningProcess,
  type StartOptions,
} from './process.js';
export { isRedisInstalled, startRedis, type RedisOptions, type RunningRedis } from './redis.js';
export {
  addClients,
  addMailing,
  addManyClients,
  openSlots,
  addMessages,
  countersAndRows,
  newPhone,
  type ClientSeed,
  type MailingSeed,
  type MessageSeed,
} from './factories.js';
export {
  type Answer,
  ApiCaller,
  type Problem,
  type RunningApi,
  startApi,
  TEST_ADMIN_KEY,
} from './api.js';
