import type { DueMessage, OpenMailing, ScanPosition } from './dispatch.queries.js';
import type { MailingScan } from './mailing-scan.js';
import type { OfferedMessage } from './offered.js';
import { interleave } from './share.js';

/** Zones of mailings that one statement reads, at the most; the others have their turn in the next. */
export const MOST_POSITIONS = 400;
const MOST_RETRY_POSITIONS = 100;
/** The share of retries that are due: they go first, but leave room for fresh messages. */
const RETRY_SHARE = 0.2;

type Kind = 'fresh' | 'retries';

/** A mailing's turn in a look: what it may have, and what was taken for it. */
export class Turn {
  private readonly retries: DueMessage[] = [];
  private readonly fresh: DueMessage[] = [];
  private readonly undoes: (() => void)[] = [];
  private retryLimit: number;

  constructor(
    readonly mailing: OpenMailing,
    readonly scan: MailingScan,
    private readonly quota: number,
  ) {
    this.retryLimit = scan.retryShare(quota, RETRY_SHARE);
  }

  get left(): number {
    return this.quota - this.taken;
  }

  get taken(): number {
    return this.retries.length + this.fresh.length;
  }

  /** In the order in which they are fed: retries, then the zones in turn. */
  get items(): OfferedMessage[] {
    const zones = [...Map.groupBy(this.fresh, ({ zoneId }) => zoneId).values()];
    return [...this.retries, ...interleave(zones)].map(({ id, attempts, zoneId }) => ({
      id,
      attempts,
      zoneId,
      offers: 1,
    }));
  }

  /** Zones to be read next. At first no more than there is room for; if that was too little, more of them. */
  freshPositions(most: number, isFirst: boolean): ScanPosition[] {
    const zones = this.scan.takeFreshZones(isFirst ? Math.min(most, this.left) : most);
    const each = Math.floor(this.left / zones.length);
    const odd = this.left % zones.length;
    return zones.map((zoneId, index) =>
      this.position(zoneId, 'fresh', Math.max(1, each + (index < odd ? 1 : 0))),
    );
  }

  retryPositions(now: number, most: number): ScanPosition[] {
    if (!this.scan.hasFresh) this.retryLimit = this.quota;
    const limit = Math.min(this.left, this.retryLimit - this.retries.length);
    if (limit < 1) return [];
    return this.scan.takeRetryZones(now, most).map((zoneId) => {
      this.undoes.push(() => {
        this.scan.lookForRetriesAgain(zoneId);
      });
      return this.position(zoneId, 'retries', limit);
    });
  }

  /** Takes of what was read as much as there is room for, and leaves out what was given already. */
  take(kind: Kind, { zoneId, limit }: ScanPosition, found: DueMessage[]): void {
    const most = kind === 'retries' ? this.retryLimit - this.retries.length : Infinity;
    let room = Math.min(this.left, most);
    let last: DueMessage | undefined;
    let isWhole = true;
    for (const message of found) {
      if (!this.scan.offered.has(message.id, message.attempts)) {
        isWhole = room > 0;
        if (!isWhole) break;
        room--;
        this[kind].push(message);
      }
      last = message;
    }
    const isAtEnd = isWhole && found.length < limit;
    this.undoes.push(this.scan.advance(zoneId, kind, last, isAtEnd));
  }

  commit(now: number): void {
    for (const message of this.items) this.scan.offered.add(message, now);
    if (this.mailing.ratePerSecond !== null) {
      this.scan.pace.spend(this.taken, this.mailing.ratePerSecond);
    }
    this.scan.settleRetryShare(this.taken, RETRY_SHARE, this.retries.length);
  }

  undo(): void {
    for (const undo of this.undoes.reverse()) undo();
  }

  private position(zoneId: number, kind: Kind, limit: number): ScanPosition {
    return { mailingId: this.mailing.id, zoneId, ...this.scan.cursor(zoneId, kind), limit };
  }
}

/** The fresh messages to be read next for those that have room, as many zones of each. */
export function freshPositions(turns: Turn[], isFirst: boolean): ScanPosition[] {
  const most = Math.max(1, Math.floor(MOST_POSITIONS / turns.length));
  return turns.flatMap((turn) => turn.freshPositions(most, isFirst));
}

/** The retries to be looked for next. @returns also the mailing that did not have its turn any more. */
export function retryPositions(
  turns: Turn[],
  now: number,
): { positions: ScanPosition[]; cut: number | null } {
  const positions: ScanPosition[] = [];
  for (const turn of turns) {
    const most = MOST_RETRY_POSITIONS - positions.length;
    if (most <= 0) return { positions, cut: turn.mailing.id };
    positions.push(...turn.retryPositions(now, most));
  }
  return { positions, cut: null };
}
