/** One message to look at. Ids only: no phone, no text ever reaches the queue. */
export interface DeliveryJob {
  messageId: number;
  /** The breaker's generation when this job carries its single probe token. */
  probe?: number;
}

export const DELIVER = 'deliver';

/** A job id that still exists is ignored by the queue, so the epoch lets a lost job be fed again. */
const EPOCH_MS = 10_000;

/** `m-<message>-<attempts>-<epoch>`: never digits only, never a colon, as the queue demands. */
export function deliveryJobId(messageId: number, attempts: number, nowMs: number): string {
  return `m-${messageId}-${attempts}-${Math.floor(nowMs / EPOCH_MS)}`;
}

/** @throws TypeError for a payload that is not ours (somebody added a job by hand). */
export function parseDeliveryJob(data: unknown): DeliveryJob {
  const { messageId, probe } = (data ?? {}) as Record<string, unknown>;
  const idIsValid = Number.isSafeInteger(messageId) && (messageId as number) > 0;
  if (!idIsValid || !(probe === undefined || Number.isSafeInteger(probe))) {
    throw new TypeError('The job is not a delivery: {messageId: integer > 0, probe?: integer}');
  }
  return { messageId, probe } as DeliveryJob;
}
