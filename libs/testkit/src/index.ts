export {
  admin,
  startPostgres,
  type PostgresOptions,
  type RunningPostgres,
} from './embedded-postgres.js';
export {
  type InstalledPostgresOptions,
  isPostgres15Installed,
  startPostgres15,
} from './installed-postgres.js';
export {
  isPgBouncerInstalled,
  type PgBouncerOptions,
  type RunningPgBouncer,
  startPgBouncer,
} from './pgbouncer.js';
export { reachableFolder } from './private-folders.js';
export { freePort } from './free-port.js';
export {
  createTestDatabase,
  TEMPLATE_DATABASE,
  TEST_POSTGRES,
  TEST_POSTGRES_15,
  type TestDatabase,
} from './test-database.js';
export { startTestServices, TEST_REDIS, type TestServices } from './test-services.js';
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
export { FaultProxy, type Admission, type Direction } from './fault-proxy.js';
export { checkInvariants, type Invariant, type Violation } from './invariants.js';
export type {
  Acknowledged,
  Audience,
  Evidence,
  FinalAttempt,
  FinalMailing,
  FinalMessage,
  ReceivedMessage,
  Resumption,
  Usage,
} from './evidence.js';
export { CrashablePostgres } from './crashable-postgres.js';
export {
  ADMIN_TOKEN,
  Cluster,
  PROVIDER_TOKEN,
  type Backend,
  type ClusterOptions,
  type Environment,
  type Stopped,
} from './cluster.js';
export { StandIn, type ReceivedInFull, type ReceivedRequest } from './stand-in.js';
export { disagreements, type Disagreement } from './books.js';
export { addFinishedMailings } from './finished-mailings.js';
export { UsageSampler } from './usage-sampler.js';
export { readFinalState } from './final-state.js';
export { sleep, waitFor, type WaitOptions } from './wait-for.js';
export { HeldReports, type HeldReportsOptions, type ReportRow } from './held-reports.js';
export {
  type CaughtMail,
  MailCatcher,
  type MailCatcherOptions,
  type MailFaults,
} from './mail-catcher.js';
