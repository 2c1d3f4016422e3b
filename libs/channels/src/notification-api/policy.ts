import type { ChannelPolicy } from '../channel.js';

/** The provider may deduplicate by the message's id, so an attempt without an answer is repeated. */
export const NOTIFICATION_API_POLICY: ChannelPolicy = {
  callLimitMs: 15_000,
  leaseMs: 30_000,
  marginMs: 500,
  retryScheduleS: [5, 15, 45, 120, 300, 600, 900],
  retryJitter: 0.2,
  concurrency: null,
  repeatUnknown: true,
};
