import type { MessageCounts } from '@app/database';

/** The stored content of reports. Instants are ISO 8601, rates are shares from 0 to 1. */

/**
 * Messages that reached a final status in a period, less those that left it again: a failed one that
 * is tried again and sent is 1 less failed and 1 more sent, so that a figure may be below 0.
 */
export interface Activity {
  sent: number;
  failed: number;
  expired: number;
  cancelled: number;
  unknown: number;
}

/**
 * Of what was to be delivered; null when nothing was. What was cancelled was not to be, and what was
 * taken back belongs to the period in which it was counted.
 */
export function successRate(activity: Activity): number | null {
  const { sent, failed, expired, unknown } = activity;
  const due = [sent, failed, expired, unknown].reduce((sum, count) => sum + Math.max(0, count), 0);
  return due === 0 ? null : Math.max(0, sent) / due;
}

/** Whether something was taken back that an earlier report has counted. */
export function takesBack({ sent, failed, expired, cancelled, unknown }: Activity): boolean {
  return Math.min(sent, failed, expired, cancelled, unknown) < 0;
}

/** Attempts that ended for one reason. */
export interface ReasonCount {
  code: string;
  attempts: number;
  /** The provider's words, of the latest. */
  detail: string | null;
}

export interface DailyMailing extends Activity {
  id: number;
  name: string;
  status: string;
  /** Waiting or on their way when the report was written. */
  pending: number;
  total: number;
}

export interface DailyTotals extends Activity {
  mailings: number;
}

export interface DailyContent {
  kind: 'daily';
  /** The day on which it is due. */
  date: string;
  from: string;
  to: string;
  totals: DailyTotals & { pending: number };
  /** The day before. */
  before: DailyTotals;
  /** Those with the most activity, at most 50. */
  mailings: DailyMailing[];
  /** How many more there are. */
  unlisted: number;
  /** The most frequent first. */
  reasons: ReasonCount[];
}

/** Why a mailing ended. */
export type Ending = 'all_done' | 'end_time' | 'cancelled';

export interface CompletionContent {
  kind: 'completion';
  mailing: { id: number; name: string };
  ending: Ending;
  startAt: string;
  endAt: string;
  /** When its last message reached a final status. */
  finishedAt: string;
  total: number;
  counts: MessageCounts;
  reasons: ReasonCount[];
}

export interface ErrorRateContent {
  kind: 'error_rate';
  mailing: { id: number; name: string };
  at: string;
  minutes: number;
  attempts: number;
  bad: number;
  /** The threshold of the share of bad attempts. */
  threshold: number;
  reasons: ReasonCount[];
}

export interface BreakerContent {
  kind: 'breaker_open' | 'breaker_closed';
  channel: string;
  openedAt: string;
  /** When this was noticed; of a closed breaker, when it closed. */
  at: string;
  /** The code of why it opened. */
  reason: string | null;
  /** The provider's words about it. */
  detail?: string | null;
  /** Of an open one: a person opened it, and it stays open until a person closes it. */
  byHand?: boolean;
}

export interface TokenExpiryContent {
  kind: 'token_expiry';
  channel: string;
  at: string;
  expiresAt: string;
}

export type AlertContent = ErrorRateContent | BreakerContent | TokenExpiryContent;
export type ReportContent = DailyContent | CompletionContent | AlertContent;
