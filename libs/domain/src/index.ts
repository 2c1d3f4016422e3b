export * from './statuses.js';
export { ApiKey } from './entities/api-key.entity.js';
export { Client } from './entities/client.entity.js';
export { ClientMailing } from './entities/client-mailing.entity.js';
export { ClientTag } from './entities/client-tag.entity.js';
export { DeliveryAttempt } from './entities/delivery-attempt.entity.js';
export { IdempotencyKey } from './entities/idempotency-key.entity.js';
export { Lane } from './entities/lane.entity.js';
export { Mailing, type AudienceFilter } from './entities/mailing.entity.js';
export { MailingActivity } from './entities/mailing-activity.entity.js';
export { MailingCounters } from './entities/mailing-counters.entity.js';
export { MailingError } from './entities/mailing-error.entity.js';
export { MailingSlot } from './entities/mailing-slot.entity.js';
export { MailingText } from './entities/mailing-text.entity.js';
export { MailingTotals } from './entities/mailing-totals.entity.js';
export { Message } from './entities/message.entity.js';
export { Report } from './entities/report.entity.js';
export { ReportStart } from './entities/report-start.entity.js';
export { Tag } from './entities/tag.entity.js';
export { Zone } from './entities/zone.entity.js';
export {
  connectionOptions,
  createDataSource,
  dataSourceOptions,
  ENTITIES,
  MIGRATIONS,
  openSession,
  type PoolSettings,
} from './data-source.js';
export {
  intArray,
  oneAtATime,
  poolOf,
  type Queryable,
  type Statement,
  withTimeouts,
} from './queryable.js';
export { cancelStatement, cancelStatements } from './cancel.js';
export { readQueuePrefix } from './queue-prefix.js';
export { prepareSession, type SessionSettings } from './session.js';
export { UnusableDatabase } from './unusable-database.js';
export { checkDatabase, checkPool } from './check-database.js';
export {
  BOOTSTRAP_LOCK,
  GATE,
  LEADER_LOCK,
  MIGRATION_LOCK,
  REPORT_REQUESTS_LOCK,
  TAG_NAMES_LOCK,
  WAKE_CHANNEL,
} from './locks.js';
export {
  isDatabaseAway,
  isOutage,
  isRefusal,
  isSchemaMissing,
  isTimeout,
  isValueRefused,
} from './outage.js';
