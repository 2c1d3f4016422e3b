/** One message to look at. Ids only: no phone, no text ever reaches the queue. */
export interface DeliveryJob {
  messageId: number;
  /** The breaker's generation when this job carries its single probe token. */
  probe?: number;
}

export const DELIVER = 'deliver';

/**
 * `<message>-<attempts>`: never digits only, never a colon, as the queue demands. The queue ignores a
 * job whose id it has, in whatever state, so a message is in it once for each attempt. One that is given
 * to an idle queue again and again without effect gets another id: its job may be held by a worker that
 * has ended.
 *
 * @param offers how often the message was given to the queue for this attempt, this time included.
 */
export function deliveryJobId(messageId: number, attempts: number, offers = 1): string {
  const id = `${messageId}-${attempts}`;
  return offers <= 2 ? id : `${id}-${offers}`;
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
