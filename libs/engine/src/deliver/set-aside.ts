import type { AttemptResult } from '@app/messages';

/** Refused outcomes that are kept; the oldest make room for more. */
const MOST_KEPT = 10_000;
/** With so many refused results the mailing (its counters) is taken for the reason, not each result. */
const BLOCKED_AT = 16;

export interface Unrecorded {
  result: AttemptResult;
  mailingId: number;
  /** When it was first to be recorded, on the monotonic clock, ms. */
  since: number;
}

/** Outcomes that the database refused, by mailing, each in the order in which they are tried again. */
export class SetAside {
  private readonly byMailing = new Map<number, Unrecorded[]>();
  private count = 0;

  get size(): number {
    return this.count;
  }

  /** Whether all outcomes of the mailing are refused: then none of its messages should be sent. */
  isBlocked(mailingId: number): boolean {
    return (this.byMailing.get(mailingId)?.length ?? 0) >= BLOCKED_AT;
  }

  /** @returns the outcome that was dropped to make room, if any. */
  add(outcome: Unrecorded): Unrecorded | undefined {
    const group = this.byMailing.get(outcome.mailingId);
    if (group) group.push(outcome);
    else this.byMailing.set(outcome.mailingId, [outcome]);
    this.count++;
    return this.count > MOST_KEPT ? this.dropFirst() : undefined;
  }

  /** One of each mailing, which goes to the end of its group. */
  candidates(): Unrecorded[] {
    return [...this.byMailing.values()].flatMap((group) => {
      const first = group.shift();
      if (first) group.push(first);
      return first ? [first] : [];
    });
  }

  /** All of a mailing, for another try of them. */
  take(mailingId: number): Unrecorded[] {
    const group = this.byMailing.get(mailingId) ?? [];
    this.byMailing.delete(mailingId);
    this.count -= group.length;
    return group;
  }

  oldest(): number {
    let oldest = Infinity;
    for (const group of this.byMailing.values()) {
      for (const { since } of group) oldest = Math.min(oldest, since);
    }
    return oldest;
  }

  ids(): number[] {
    return [...this.byMailing.values()].flat().map(({ result }) => result.id);
  }

  private dropFirst(): Unrecorded | undefined {
    for (const [mailingId, group] of this.byMailing) {
      const first = group.shift();
      if (group.length === 0) this.byMailing.delete(mailingId);
      if (first) this.count--;
      return first;
    }
    return undefined;
  }
}
