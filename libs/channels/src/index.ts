export type { Channel, ChannelPolicy, Outcome, OutgoingMessage } from './channel.js';
export type { ChannelKind, ConfiguredChannel } from './channel-kind.js';
export type { Content, ContentSchema } from './content.js';
export { NOTIFICATION_CONTENT } from './notification-api/content.js';
export { notificationApi } from './notification-api/notification-api.kind.js';
export { NOTIFICATION_API_POLICY } from './notification-api/policy.js';
