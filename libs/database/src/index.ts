export { bookMoves, bookMovesLast } from './books/book-moves.js';
export { cancelStatement, cancelStatements } from './cancel.js';
export { checkDatabase } from './check-database.js';
export type { Check } from './check.js';
export { readClock } from './clock.js';
export { badCursor, decodeCursor, encodeCursor, type Page, pageOf } from './cursor.js';
export {
  connectionOptions,
  createDataSource,
  dataSourceOptions,
  openSession,
  type PoolSettings,
} from './data-source.js';
export { Database } from './database.js';
export { ApiKey } from './entities/api-key.entity.js';
export { Lane } from './entities/lane.entity.js';
export { type AudienceFilter, Mailing } from './entities/mailing.entity.js';
export { Report } from './entities/report.entity.js';
export { passGate } from './gate.js';
export {
  BOOTSTRAP_LOCK,
  GATE,
  LEADER_LOCK,
  REPORT_REQUESTS_LOCK,
  TAG_NAMES_LOCK,
  WAKE_CHANNEL,
} from './locks.js';
export { migrate, type Migrated } from './migrate.js';
export {
  isDatabaseAway,
  isOutage,
  isRefusal,
  isSchemaMissing,
  isTimeout,
  isValueRefused,
} from './outage.js';
export {
  intArray,
  oneAtATime,
  poolOf,
  type Queryable,
  type Statement,
  withTimeouts,
} from './queryable.js';
export { readQueuePrefix } from './queue-prefix.js';
export { prepareSession } from './session/session.js';
export type { SessionSettings } from './session/settings.js';
export {
  ATTEMPT_OUTCOMES,
  type AttemptOutcome,
  BREAKER_STATES,
  type BreakerState,
  type ChannelName,
  CHANNELS,
  MAILING_STATUSES,
  type MailingStatus,
  MESSAGE_STATUSES,
  type MessageCounts,
  type MessageStatus,
  REPORT_KINDS,
  REPORT_STATUSES,
  REPORT_TRANSPORTS,
  type ReportKind,
  type ReportStatus,
  type ReportTransport,
  type Role,
  ROLES,
} from './statuses.js';
export { isForeignKeyViolation, isUniqueViolation, isUnknownTimezone } from './violations.js';
