export {
  DEFAULT_DELIVERY_CONCURRENCY,
  environment,
  type Environment,
  type Variable,
} from './config/environment.js';
export { ConfigError, type ConfigFault, isSet, loadConfig } from './config/load-config.js';
export { canonicalEmail } from './canonical/email.js';
export { canonicalName, WHITE_SPACE } from './canonical/name.js';
export { CANONICAL_TIMEZONES, canonicalTimezone } from './canonical/timezone.js';
export { TIMEZONE_RELEASE } from './canonical/timezone-names.js';
export { CLOCK, systemClock, type Clock } from './clock/clock.js';
export {
  DomainError,
  messageOf,
  type DomainErrorCode,
  type FieldError,
} from './errors/domain-error.js';
export { withoutTrailingSlashes } from './urls/trailing-slashes.js';
export { isLocalTrouble } from './errors/local-trouble.js';
export { createLogger, loggerOptions, loggingModule, type Logger } from './logging/logging.js';
export { Counter, Gauge, Histogram, metrics, MetricsModule } from './metrics/metrics.js';
export { Health, health, type HealthCheck, HealthFault, HealthModule } from './health/health.js';
export { Batcher } from './batching/batcher.js';
export { Isolated, type IsolatedOptions, type IsolatedRun } from './isolation/isolated.js';
export { TaskHealth, taskHealth } from './isolation/task-health.js';
export { decrypt, DecryptionError, encrypt, keyIdOf, keysOf } from './secrets/secrets.js';
export { main, runProcess, type ProcessOptions } from './process.js';
export { onSlowStop } from './stopping.js';
