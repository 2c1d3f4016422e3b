/** Messages per claim and per record statement at the most. */
export const BATCH_SIZE = 256;

/** Waits of a message whose lane could not send it, ms: it is due again when its lane is. */
export const UNAVAILABLE_DELAY_MS = 5_000;
export const GAVE_UP_DELAY_MS = 1_000;
