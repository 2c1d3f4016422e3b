import { setTimeout as sleep } from 'node:timers/promises';

export type Counts = Record<
  'pending' | 'sending' | 'sent' | 'failed' | 'expired' | 'cancelled' | 'unknown',
  number
>;

export interface Statistics {
  status: string;
  total: number;
  counts: Counts;
  /** Whether `total` is final. */
  planned: boolean;
}

export interface AudienceFilter {
  operatorCodes?: string[];
  phones?: string[];
}

interface MailingOptions {
  filter?: AudienceFilter;
  ratePerSecond?: number;
}

interface Mailing {
  id: number;
  status: string;
  finishedAt: string | null;
}

const POLL_MS = 250;
const PLANNED_POLL_MS = 100;
const HOUR_MS = 3_600_000;

/** Posthorn's API, as any program would use it. Times are milliseconds since 1970. */
export class Api {
  constructor(
    readonly url: string,
    readonly key: string,
  ) {}

  /** @returns the new mailing's id and when it was asked for; it starts at once. */
  async createMailing(
    name: string,
    options: MailingOptions = {},
  ): Promise<{ id: number; postedAt: number }> {
    const postedAt = Date.now();
    const { id } = await this.call<Mailing>('POST', '/mailings', {
      name,
      text: TEXT,
      filter: {},
      ...options,
      endAt: new Date(postedAt + HOUR_MS).toISOString(),
    });
    return { id, postedAt };
  }

  statistics(id: number): Promise<Statistics> {
    return this.call<Statistics>('GET', `/mailings/${id}/statistics`);
  }

  /** Edits the running mailing. */
  async end(id: number, endAt: number): Promise<void> {
    await this.call('PATCH', `/mailings/${id}`, { endAt: new Date(endAt).toISOString() });
  }

  async cancel(id: number): Promise<void> {
    await this.call('POST', `/mailings/${id}/cancel`);
  }

  /** @throws Error after `limitMs`. */
  async untilPlanned(id: number, limitMs: number): Promise<void> {
    const planned = await poll(
      async () => (await this.statistics(id)).planned || null,
      PLANNED_POLL_MS,
      limitMs,
    );
    if (planned === null) throw new Error(`not planned in ${limitMs} ms`);
  }

  /** @returns when its last message reached its final status. @throws Error after `limitMs`. */
  async untilFinished(id: number, limitMs: number): Promise<number> {
    const finishedAt = await poll(
      async () => (await this.call<Mailing>('GET', `/mailings/${id}`)).finishedAt,
      POLL_MS,
      limitMs,
    );
    if (finishedAt !== null) return Date.parse(finishedAt);
    const { status, counts } = await this.statistics(id);
    throw new Error(`not finished in ${limitMs} ms: ${status}, ${JSON.stringify(counts)}`);
  }

  /** @throws Error when the mailing is planned to its last row: what was to happen before came too late. */
  async checkStillPlanning(id: number): Promise<void> {
    const { planned } = await this.statistics(id);
    if (planned) throw new Error(`mailing ${id} was planned too soon for what is measured`);
  }

  /** @throws Error when the mailing has another number of messages, or any with another status. */
  async checkCounts(id: number, expected: number, statuses: (keyof Counts)[]): Promise<Counts> {
    const { total, counts } = await this.statistics(id);
    const found = statuses.reduce((sum, status) => sum + counts[status], 0);
    if (total === expected && found === expected) return counts;
    throw new Error(`of ${expected} messages ${JSON.stringify({ total, ...counts })}`);
  }

  private async call<T>(method: string, path: string, body?: object): Promise<T> {
    const answer = await fetch(this.url + path, {
      method,
      headers: { token: this.key, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(30_000),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${text}`);
    return JSON.parse(text) as T;
  }
}

/** @returns what `look` found, null after `limitMs`. */
async function poll<T>(
  look: () => Promise<T | null>,
  everyMs: number,
  limitMs: number,
): Promise<T | null> {
  const limit = performance.now() + limitMs;
  while (performance.now() < limit) {
    const found = await look();
    if (found !== null) return found;
    await sleep(everyMs);
  }
  return null;
}

/** What every measured message says. */
export const TEXT = 'Everything at half price until Sunday: show this message at the counter.';
