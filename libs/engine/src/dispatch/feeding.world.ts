import type { DueMessage, OpenMailing, ScanPosition } from './dispatch.queries.js';
import { Feeding, type Look } from './feeding.js';

export interface WorldMailing {
  /** Messages in each zone. */
  zones: number[];
  ratePerSecond: number | null;
}

interface Message {
  id: number;
  mailingId: number;
  zoneId: number;
  attempts: number;
  notBefore: number;
  sentAt: number | null;
}

interface Job {
  message: Message;
  attempts: number;
  /** Not before. */
  at: number;
}

export interface WorldOptions {
  mailings: WorldMailing[];
  laneRate: number | null;
  ahead?: number;
  places?: number;
  /** Messages that the workers send per second at the most, beside all rates. Default: any number. */
  perSecond?: number;
  /** Between two looks: a step, or more on a busy machine. Default 40. */
  lookEveryMs?: number;
}

const SLACK = 1.05;
const HORIZON_MS = 500;
const BEHIND_LANE_MS = 80;
const MAILING_LATE_MS = 100;
const ASK_SHORTLY_BEFORE_MS = 60;
const STEP_MS = 40;
const ANY_NUMBER = 1_000_000;

/** A lane in memory: rows, a queue and workers that grant moments as the claim does, in steps of 40 ms. */
export class World {
  readonly messages: Message[] = [];
  readonly feeding = new Feeding();
  queue: Job[] = [];
  now = 1_000_000;
  /** Everything that was given to the queue, in this order, whether or not it was there already. */
  readonly fed: Message[] = [];
  mostWaiting = 0;
  mostPositions = 0;
  private readonly pending = new Map<string, Message[]>();
  private readonly nextAt = new Map<number | 'lane', number>();
  private capacity = 0;
  private nextLookAt = -Infinity;

  constructor(readonly options: WorldOptions) {
    options.mailings.forEach((mailing, mailingIndex) => {
      mailing.zones.forEach((count, zoneIndex) => {
        const rows = Array.from({ length: count }, () => ({
          id: this.messages.length + 1,
          mailingId: mailingIndex + 1,
          zoneId: zoneIndex + 1,
          attempts: 0,
          notBefore: -Infinity,
          sentAt: null,
        })).map((row) => {
          const message = { ...row, id: this.messages.length + 1 };
          this.messages.push(message);
          return message;
        });
        this.pending.set(`${mailingIndex + 1}/${zoneIndex + 1}`, rows);
      });
    });
  }

  get ahead(): number {
    const { ahead = 100, laneRate } = this.options;
    return laneRate === null ? ahead : Math.min(ahead, Math.ceil(laneRate) + 1);
  }

  sentOf(mailingId: number): Message[] {
    return this.messages.filter((one) => one.mailingId === mailingId && one.sentAt !== null);
  }

  /** Runs until nothing is pending, or for so long. @returns whether all was sent. */
  run(ms: number, each: (world: World) => void = () => undefined): boolean {
    for (const end = this.now + ms; this.now < end; this.now += STEP_MS) {
      each(this);
      if (this.now >= this.nextLookAt) this.look();
      this.work();
      if (this.messages.every(({ sentAt }) => sentAt !== null)) return true;
    }
    return false;
  }

  /** @param fails the queue does not take what it is given. */
  look(fails = false): void {
    this.nextLookAt = this.now + (this.options.lookEveryMs ?? STEP_MS);
    const mailings = this.openMailings();
    if (mailings.length === 0 || this.ahead - this.queue.length < this.ahead / 10) return;
    const look = this.feeding.look({
      now: this.now,
      waiting: this.queue.length,
      ahead: this.ahead,
      places: this.options.places ?? 1_000,
      lane: {
        ratePerSecond: this.options.laneRate,
        grantedAheadMs: this.grantedAhead('lane'),
      },
      mailings,
    });
    this.read(look);
    if (fails) look.undo();
    else this.feed(look);
    this.mostWaiting = Math.max(this.mostWaiting, this.queue.length);
  }

  /** Takes what is in the queue, grants moments, and sends. */
  work(): void {
    this.capacity =
      ((this.options.perSecond ?? ANY_NUMBER) * STEP_MS) / 1_000 + (this.capacity % 1);
    const ready = this.queue.filter(({ at }) => at <= this.now).slice(0, Math.floor(this.capacity));
    this.capacity -= ready.length;
    const taken = new Set(ready);
    this.queue = this.queue.filter((job) => !taken.has(job));
    for (const job of ready) this.claim(job);
  }

  private claim(job: Job): void {
    const { message, attempts } = job;
    if (message.sentAt !== null || message.attempts !== attempts) return;
    const rate = this.options.mailings[message.mailingId - 1]?.ratePerSecond ?? null;
    const lane = this.options.laneRate === null ? -Infinity : this.freeAt('lane');
    const base = Math.max(lane, this.now);
    const own = rate === null ? base : this.freeAt(message.mailingId, base - MAILING_LATE_MS, base);
    const isReady = lane === -Infinity || own <= lane + BEHIND_LANE_MS;
    if (!isReady || Math.max(own, lane) > this.now + HORIZON_MS) {
      this.queue.push({ ...job, at: own - (isReady ? HORIZON_MS / 2 : ASK_SHORTLY_BEFORE_MS) });
      return;
    }
    message.sentAt = Math.max(own, lane, this.now);
    this.take('lane', this.options.laneRate, lane);
    this.take(message.mailingId, rate, own);
    const rows = this.pending.get(`${message.mailingId}/${message.zoneId}`);
    rows?.splice(rows.indexOf(message), 1);
  }

  private freeAt(key: number | 'lane', least = this.now - STEP_MS, otherwise = this.now): number {
    const next = this.nextAt.get(key) ?? -Infinity;
    return next >= least ? next : otherwise;
  }

  private take(key: number | 'lane', rate: number | null, at: number): void {
    if (rate !== null) this.nextAt.set(key, at + (SLACK * 1_000) / rate);
  }

  private grantedAhead(key: number | 'lane'): number | null {
    const next = this.nextAt.get(key);
    return next === undefined ? null : next - this.now;
  }

  private openMailings(): OpenMailing[] {
    return this.options.mailings.flatMap(({ zones, ratePerSecond }, index): OpenMailing[] => {
      const id = index + 1;
      const open = zones.map((_, zone) => zone + 1);
      const left = open.some((zone) => (this.pending.get(`${id}/${zone}`)?.length ?? 0) > 0);
      const total = zones.reduce((sum, count) => sum + count, 0);
      const grantedAheadMs = this.grantedAhead(id);
      const known = { id, laneId: 1, ratePerSecond, grantedAheadMs, total, version: '1' };
      return left ? [{ ...known, zones: open }] : [];
    });
  }

  private read(look: Look): void {
    const asked = look.toCheck;
    if (asked.length > 0) {
      const rows = asked.flatMap((id) => this.messages[id - 1] ?? []);
      const pending = rows.filter(({ sentAt }) => sentAt === null);
      look.checked(new Map(pending.map(({ id, attempts }) => [id, attempts])));
    }
    for (let reads = look.next(); reads; reads = look.next()) {
      this.mostPositions = Math.max(this.mostPositions, reads.fresh.length, reads.retries.length);
      look.found(
        reads.retries.flatMap((position) => this.find(position, true)),
        reads.fresh.flatMap((position) => this.find(position, false)),
      );
    }
  }

  private find(position: ScanPosition, retries: boolean): DueMessage[] {
    const rows = this.pending.get(`${position.mailingId}/${position.zoneId}`) ?? [];
    const after = position.notBefore === '-infinity' ? -Infinity : Number(position.notBefore);
    const found: DueMessage[] = [];
    for (const row of rows.toSorted((a, b) => a.notBefore - b.notBefore || a.id - b.id)) {
      if (found.length >= position.limit) break;
      const isRetry = row.notBefore > -Infinity;
      if (isRetry !== retries || row.notBefore > this.now) continue;
      if (row.notBefore < after || (row.notBefore === after && row.id <= position.id)) continue;
      const { id, mailingId, zoneId, attempts, notBefore } = row;
      found.push({
        id,
        mailingId,
        zoneId,
        attempts,
        notBefore: isRetry ? String(notBefore) : '-infinity',
      });
    }
    return found;
  }

  private feed(look: Look): void {
    for (const { id, attempts } of look.items) {
      const message = this.messages[id - 1];
      if (!message) continue;
      this.fed.push(message);
      const isThere = this.queue.some(
        (job) => job.message === message && job.attempts === attempts,
      );
      if (!isThere) this.queue.push({ message, attempts, at: this.now });
    }
    look.commit();
  }
}

/** The most that were sent in any second. */
export function mostInOneSecond(sent: { sentAt: number | null }[]): number {
  const moments = sent.flatMap(({ sentAt }) => sentAt ?? []).sort((a, b) => a - b);
  let from = 0;
  let most = 0;
  for (const [index, at] of moments.entries()) {
    while (at - (moments[from] ?? at) >= 1_000) from++;
    most = Math.max(most, index - from + 1);
  }
  return most;
}
