import type { MinuteBucket, StatisticsRow } from './statistics.queries.js';

const MINUTE = 60_000;

export interface Throughput {
  /** Messages sent in the last 60 seconds. */
  lastMinute: number;
  /** The same per second, over the part of those seconds in which the mailing was under way. */
  perSecond: number;
  /** Per second from the start to the last message, or to now; null before the start. */
  averagePerSecond: number | null;
}

/**
 * Speed from minute buckets. What of the previous minute lies within the last 60 seconds is taken as
 * its share of time; exact to a bucket, and never more than was sent.
 */
export function throughputOf(
  row: Pick<StatisticsRow, 'now' | 'startAt' | 'finishedAt' | 'recent'> & { sent: number },
): Throughput {
  const now = row.now.getTime();
  const start = row.startAt.getTime();
  const since = Math.max(now - MINUTE, start);
  const lastMinute = Math.round(
    row.recent.reduce((sum, bucket) => sum + shareOf(bucket, start, since, now), 0),
  );
  const end = row.finishedAt?.getTime() ?? now;
  return {
    lastMinute,
    perSecond: rate(lastMinute, now - since),
    averagePerSecond: now < start ? null : rate(row.sent, end - start),
  };
}

/** The part of a bucket's messages that lies in `[since, now]`. */
function shareOf({ minute, sent }: MinuteBucket, start: number, since: number, now: number) {
  const opens = Math.max(minute.getTime(), start);
  const closes = Math.min(minute.getTime() + MINUTE, now);
  if (closes <= since) return 0;
  return closes - opens <= 0 ? sent : (sent * (closes - Math.max(opens, since))) / (closes - opens);
}

/** Per second, to two decimals; a mailing that has just begun counts as one second old. */
function rate(messages: number, ms: number): number {
  return Math.round((messages * 100_000) / Math.max(ms, 1_000)) / 100;
}

/**
 * When the mailing will be done at its present speed: no earlier than the last zone's hours open, no
 * later than its end. Null when nobody can know: it does not run, its audience is still being
 * planned, its lane is closed, or nothing was sent in the last minute.
 */
export function forecastOf(
  row: Pick<
    StatisticsRow,
    'status' | 'planned' | 'laneOpen' | 'now' | 'endAt' | 'finishedAt' | 'counts'
  >,
  perSecond: number,
  latestOpening: Date | null,
): Date | null {
  if (row.finishedAt) return row.finishedAt;
  const left = row.counts.pending + row.counts.sending;
  if (row.status !== 'running' || !row.planned || !row.laneOpen || left === 0) return null;
  if (perSecond <= 0) return null;
  const done = Math.max(
    row.now.getTime() + Math.ceil((left / perSecond) * 1_000),
    latestOpening?.getTime() ?? 0,
  );
  return new Date(Math.min(done, row.endAt.getTime()));
}

/** The share of messages that have reached a final status, of those planned so far: 0 to 1. */
export function progressOf(row: Pick<StatisticsRow, 'total' | 'counts' | 'finishedAt'>): number {
  if (row.total === 0) return row.finishedAt ? 1 : 0;
  return (row.total - row.counts.pending - row.counts.sending) / row.total;
}
