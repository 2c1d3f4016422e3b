/** What was given to the queue this long ago and still waits is given again, ms. */
const OFFER_AGAIN_MS = 8_000;
/**
 * The same for the first time when the queue is empty: what was given is in a worker's hands or lost.
 * Also when the mailing was changed: claims may have refused what is allowed now.
 */
const OFFER_AGAIN_SOON_MS = 1_000;
/** With a rate, what was given so long ago should be sent: what is not is looked up, ms. */
const RATED_CHECK_MS = 1_000;

interface Offer {
  attempts: number;
  zoneId: number;
  /** How often it was given for this attempt; times that an idle queue ignored count. */
  count: number;
  at: number;
  /** When it was given, or last seen pending. */
  seenAt: number;
}

export interface OfferedMessage {
  id: number;
  attempts: number;
  zoneId: number;
  offers: number;
}

/**
 * What of one mailing was given to the queue and is not known to have left it. Times are monotonic, ms.
 * The entries are in the order of `seenAt`.
 */
export class Offered {
  private readonly offers = new Map<number, Offer>();

  get size(): number {
    return this.offers.size;
  }

  has(id: number, attempts: number): boolean {
    return this.offers.get(id)?.attempts === attempts;
  }

  add({ id, attempts, zoneId, offers }: OfferedMessage, now: number): void {
    this.offers.delete(id);
    this.offers.set(id, { attempts, zoneId, count: offers, at: now, seenAt: now });
  }

  /** Messages that should be taken by now, to be looked up. At most so many. */
  due(now: number, { isRated, queueIsEmpty }: Circumstances, most: number): number[] {
    const age = isRated ? RATED_CHECK_MS : queueIsEmpty ? OFFER_AGAIN_SOON_MS : OFFER_AGAIN_MS;
    const ids: number[] = [];
    for (const [id, { seenAt }] of this.offers) {
      if (now - seenAt < age || ids.length >= most) break;
      ids.push(id);
    }
    return ids;
  }

  /**
   * Forgets those of `asked` that are not pending for the same attempt any more.
   *
   * @returns those that are to be given again.
   */
  settle(
    asked: readonly number[],
    pending: ReadonlyMap<number, number>,
    now: number,
    { queueIsEmpty }: Circumstances,
  ): OfferedMessage[] {
    const again: OfferedMessage[] = [];
    for (const id of asked) {
      const offer = this.offers.get(id);
      if (!offer || offer.attempts !== pending.get(id)) {
        this.offers.delete(id);
        continue;
      }
      const { attempts, zoneId, count, at } = offer;
      const age = queueIsEmpty && count === 1 ? OFFER_AGAIN_SOON_MS : OFFER_AGAIN_MS;
      if (now - at >= age) {
        // It keeps its place, and so is looked up again at once, until it is really given.
        again.push({ id, attempts, zoneId, offers: count + (queueIsEmpty ? 1 : 0) });
      } else {
        this.offers.delete(id);
        this.offers.set(id, { ...offer, seenAt: now });
      }
    }
    return again;
  }

  /** The mailing was changed. */
  hurry(now: number): void {
    const at = now - OFFER_AGAIN_MS + OFFER_AGAIN_SOON_MS;
    for (const offer of this.offers.values()) {
      offer.at = Math.min(offer.at, at);
      offer.seenAt = Math.min(offer.seenAt, at);
    }
  }

  forgetZone(zoneId: number): void {
    for (const [id, offer] of this.offers) if (offer.zoneId === zoneId) this.offers.delete(id);
  }
}

export interface Circumstances {
  /** The mailing has a rate of its own. */
  isRated: boolean;
  queueIsEmpty: boolean;
}
