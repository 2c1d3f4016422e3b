export { Batcher } from './batching/batcher.js';
export { type LocalWindow, nextSlot, type Slot, UnknownTimezoneError } from './calendar/slots.js';
export { canonicalEmail } from './canonical/email.js';
export { canonicalName, WHITE_SPACE } from './canonical/name.js';
export { TIMEZONE_RELEASE } from './canonical/timezone-names.js';
export { CANONICAL_TIMEZONES, canonicalTimezone } from './canonical/timezone.js';
export { type Clock, systemClock } from './clock/clock.js';
export {
  DEFAULT_DELIVERY_CONCURRENCY,
  type Environment,
  environment,
  SECRETS,
  type Variable,
} from './config/environment.js';
export { ConfigError, type ConfigFault, isSet, loadConfig } from './config/load-config.js';
export {
  DomainError,
  type DomainErrorCode,
  type FieldError,
  messageOf,
} from './errors/domain-error.js';
export { isLocalTrouble } from './errors/local-trouble.js';
export { health, HealthFault, type HealthFaultOptions, HealthModule } from './health/health.js';
export { Isolated } from './isolation/isolated.js';
export { taskHealth, TaskHealth } from './isolation/task-health.js';
export { createLogger, type Logger, loggerOptions, loggingModule } from './logging/logging.js';
export { Counter, Gauge, Histogram, metrics, MetricsModule } from './metrics/metrics.js';
export { main, runProcess } from './process.js';
export { decrypt, DecryptionError, encrypt } from './secrets/secrets.js';
export { onSlowStop } from './stopping.js';
export { withoutTrailingSlashes } from './urls/trailing-slashes.js';
