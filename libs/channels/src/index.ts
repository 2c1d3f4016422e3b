export type { Channel, Outcome, OutgoingMessage } from './channel.js';
export { readJwtExpiry } from './jwt.js';
export { NotificationApiChannel } from './notification-api/notification-api.channel.js';
