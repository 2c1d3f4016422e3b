/** How long a claimed message is its worker's. Longer than any call can take. */
export const LEASE_MS = 30_000;
/** A call is given up after this; a send that could outlive its lease is not begun. */
export const CALL_LIMIT_MS = 15_000;
/** With less than this left to the end or the slot's close nothing is sent. */
export const MARGIN_MS = 500;
/** Messages per claim and per record statement at the most. */
export const BATCH_SIZE = 256;

/** Waits before the 2nd, 3rd, … try, in seconds; the last one repeats. */
export const RETRY_SCHEDULE_S = [5, 15, 45, 120, 300, 600, 900] as const;
/** Each wait is taken from [1 - j, 1 + j] times the schedule, so that failures do not march in step. */
export const RETRY_JITTER = 0.2;

/** Waits of a message that was not to blame: it is due again when its lane is. */
export const UNAVAILABLE_DELAY_MS = 5_000;
export const GAVE_UP_DELAY_MS = 1_000;
/** When the provider says 429 without saying for how long. */
export const RATE_LIMITED_DELAY_MS = 5_000;
