/** The life of a mailing. Why it ended (all sent, end time) follows from its counters. */
export const MAILING_STATUSES = [
  'scheduled',
  'running',
  'paused',
  'completed',
  'cancelled',
] as const;
export type MailingStatus = (typeof MAILING_STATUSES)[number];

/** The life of one message to one client. */
export const MESSAGE_STATUSES = [
  'pending',
  'sending',
  'sent',
  'failed',
  'expired',
  'cancelled',
  'unknown',
] as const;
export type MessageStatus = (typeof MESSAGE_STATUSES)[number];

/** How one attempt ended, in the words of the channel. */
export const ATTEMPT_OUTCOMES = [
  'delivered',
  'rejected',
  'retry',
  'unavailable',
  'unknown',
] as const;
export type AttemptOutcome = (typeof ATTEMPT_OUTCOMES)[number];

export const CHANNELS = ['notification', 'telegram'] as const;
export type ChannelName = (typeof CHANNELS)[number];

export const BREAKER_STATES = ['closed', 'open', 'half_open'] as const;
export type BreakerState = (typeof BREAKER_STATES)[number];

export const ROLES = ['viewer', 'operator', 'admin'] as const;
export type Role = (typeof ROLES)[number];

export const REPORT_KINDS = [
  'daily',
  'completion',
  'error_rate',
  'breaker_open',
  'breaker_closed',
  'token_expiry',
] as const;
export type ReportKind = (typeof REPORT_KINDS)[number];

export const REPORT_TRANSPORTS = ['email', 'webhook'] as const;
export type ReportTransport = (typeof REPORT_TRANSPORTS)[number];

/** The life of a report. `kept`: there is no way to send it, it can only be read. */
export const REPORT_STATUSES = ['pending', 'sending', 'sent', 'failed', 'kept'] as const;
export type ReportStatus = (typeof REPORT_STATUSES)[number];

/** Messages per status; every key is always there. */
export type MessageCounts = Record<MessageStatus, number>;
