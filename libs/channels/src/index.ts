export type { Channel, ChannelPolicy, Outcome, OutgoingMessage } from './channel.js';
export type { ChannelKind, ConfiguredChannel } from './channel-kind.js';
export { notificationApi } from './notification-api/notification-api.kind.js';
export { NOTIFICATION_API_POLICY } from './notification-api/policy.js';
