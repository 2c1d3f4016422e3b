export {
  type Channel,
  type Outcome,
  type OutgoingMessage,
  type Reason,
  type UnavailableScope,
} from './channel.js';
export {
  NotificationApiChannel,
  type NotificationApiOptions,
} from './notification-api/notification-api.channel.js';
export { readJwtExpiry } from './jwt.js';
