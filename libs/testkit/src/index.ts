export { someActor, unheard } from './actors.js';
export {
  type Answer,
  ApiCaller,
  type Problem,
  type RunningApi,
  startApi,
  TEST_ADMIN_KEY,
} from './api.js';
export { disagreements } from './books.js';
export { Claiming } from './claiming.js';
export {
  ADMIN_TOKEN,
  type Backend,
  Cluster,
  type Environment,
  PROVIDER_TOKEN,
  type SecondProvider,
  type Stopped,
} from './cluster.js';
export { CrashablePostgres } from './crashable-postgres.js';
export { admin, type RunningPostgres, startPostgres } from './embedded-postgres.js';
export type {
  Acknowledged,
  Evidence,
  FinalMailing,
  ReceivedMessage,
  Resumption,
  Usage,
} from './evidence.js';
export {
  addClients,
  addMailing,
  addManyClients,
  addMessages,
  countersAndRows,
  type MailingSeed,
  type MessageSeed,
  newPhone,
  openSlots,
} from './factories.js';
export { FaultProxy } from './fault-proxy.js';
export { readFinalState } from './final-state.js';
export { addFinishedMailings } from './finished-mailings.js';
export { freePort } from './free-port.js';
export { HeldReports, type HeldReportsOptions } from './held-reports.js';
export { isPostgres15Installed, startPostgres15 } from './installed-postgres.js';
export { checkInvariants, type Invariant, type Violation } from './invariants.js';
export { MailCatcher } from './mail-catcher.js';
export { MailedReports } from './mailed-reports.js';
export { isPgBouncerInstalled, type RunningPgBouncer, startPgBouncer } from './pgbouncer.js';
export { Planning } from './planning.js';
export { reachableFolder } from './private-folders.js';
export {
  type ProcessName,
  type RunningProcess,
  shareCompiledCode,
  startProcess,
} from './process.js';
export { isRedisInstalled, type RunningRedis, startRedis } from './redis.js';
export {
  createTestDatabase,
  TEMPLATE_DATABASE,
  TEST_POSTGRES,
  TEST_POSTGRES_15,
  type TestDatabase,
} from './test-database.js';
export { TEST_REDIS } from './test-services.js';
export { UsageSampler } from './usage-sampler.js';
export { sleep, waitFor } from './wait-for.js';
