import {
  type Acknowledged,
  ADMIN_TOKEN,
  type Cluster,
  type FinalMailing,
  PROVIDER_TOKEN,
  type Resumption,
  sleep,
  waitFor,
} from '@app/testkit';
import { type MessageStatus, readQueuePrefix } from '@app/database';
import { type ApiAnswer, callApi } from './http-caller.js';
import type { Random } from './random.js';
import { leaderSessions } from './sessions.js';

export interface MailingOptions {
  name?: string;
  text?: string;
  endsInMs?: number;
  startsInMs?: number;
  window?: { from: string; to: string; timezone: string };
  ratePerSecond?: number;
  maxTries?: number;
  operatorCodes?: string[];
  /** Default: the notification API. */
  channel?: string;
  /** Whom it must reach; default: every client there is. */
  audience?: number[];
}

export interface Lock {
  release: () => Promise<void>;
}

interface Lane {
  state: string;
  reason: string | null;
  openedAt: number;
  pausedUntil: number | null;
}

type Counters = Record<MessageStatus | 'total', number> & { planned: boolean };

const DAY_MS = 86_400_000;
const MOST_WAIT_MS = 60_000;

/** What a scenario uses: the processes, the answers of the API, and the failures found. */
export class Trial {
  readonly acknowledged: Acknowledged[] = [];
  readonly audiences = new Map<number, { must: number[]; may: number[] }>();
  readonly resumptions: Resumption[] = [];
  /** Messages that may be taken twice, given what has been broken. */
  duplicates = 0;
  readonly phones = new Set<string>();
  /** Tokens that must not show in any log. */
  readonly secrets: string[] = [PROVIDER_TOKEN, ADMIN_TOKEN];
  /** What must hold beyond the invariants and did not. */
  readonly failures: string[] = [];
  private readonly locks = new Set<() => Promise<void>>();
  private clientsMade = 0;

  constructor(
    readonly cluster: Cluster,
    readonly random: Random,
  ) {}

  get provider() {
    return this.cluster.provider;
  }

  get proxies() {
    return this.cluster.proxies;
  }

  expect(holds: boolean, what: string): void {
    if (!holds) this.failures.push(what);
  }

  /** The prefix of this installation's queue keys. */
  queuePrefix(): Promise<string> {
    return readQueuePrefix(this.cluster.db);
  }

  /** Rows of one statement, past all proxies. */
  async sql<Row extends object>(text: string, ...values: unknown[]): Promise<Row[]> {
    return (await this.cluster.db.query<Row>(text, values)).rows;
  }

  /** A session of its own that holds what the statement locks until it is released. */
  async lock(statement: string, ...values: unknown[]): Promise<Lock> {
    const session = await this.cluster.db.connect();
    const release = async () => {
      if (!this.locks.delete(release)) return;
      await session.query('ROLLBACK').catch(() => undefined); // the session may be lost
      session.release(true);
    };
    this.locks.add(release);
    await session.query('BEGIN');
    await session.query(statement, values);
    return { release };
  }

  /** Releases what a scenario that failed on its way still holds. */
  async releaseLocks(): Promise<void> {
    await Promise.all([...this.locks].map((release) => release()));
  }

  async clients(
    count: number,
    { timezone = 'Europe/Moscow', operatorCode = '916' } = {},
  ): Promise<number[]> {
    const rows = await this.sql<{ id: number; phone: string }>(
      `INSERT INTO clients (phone, operator_code, timezone)
       SELECT (79160000000 + $1::bigint + i)::text, $3, $4 FROM generate_series(1, $2::int) i
       RETURNING id, phone`,
      this.clientsMade,
      count,
      operatorCode,
      timezone,
    );
    this.clientsMade += count;
    for (const { phone } of rows) this.phones.add(phone);
    return rows.map(({ id }) => id);
  }

  call<T = unknown>(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<ApiAnswer<T>> {
    return callApi<T>(this.cluster.api.url, method, path, body, headers);
  }

  /** A call that has to succeed. */
  async done<T = unknown>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await this.call<T>(method, path, body);
    if (answer.status >= 300) {
      throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    }
    return answer.body;
  }

  /** What `POST /mailings` gets. */
  mailingBody(options: MailingOptions = {}) {
    const { name = 'Fault', text = 'Hello', startsInMs, endsInMs = DAY_MS } = options;
    const { window, ratePerSecond, maxTries, operatorCodes, channel } = options;
    return {
      name,
      text,
      ...(startsInMs !== undefined && { startAt: new Date(now() + startsInMs).toISOString() }),
      endAt: new Date(now() + endsInMs).toISOString(),
      ...(operatorCodes && { filter: { operatorCodes } }),
      ...(window && { window }),
      ...(channel !== undefined && { channel }),
      ...(ratePerSecond !== undefined && { ratePerSecond }),
      ...(maxTries !== undefined && { maxTries }),
    };
  }

  async mailing(options: MailingOptions = {}): Promise<number> {
    const audience = options.audience ?? (await this.allClients());
    const { id } = await this.done<{ id: number }>('POST', '/mailings', this.mailingBody(options));
    this.created(id, audience);
    return id;
  }

  created(mailingId: number, audience: number[]): void {
    this.acknowledged.push({ what: 'mailing created', mailingId });
    this.audiences.set(mailingId, { must: audience, may: [] });
  }

  /** It was deleted: nothing is expected of it any more. */
  forget(mailingId: number): void {
    this.audiences.delete(mailingId);
    const index = this.acknowledged.findIndex(
      (write) => write.what === 'mailing created' && write.mailingId === mailingId,
    );
    if (index >= 0) this.acknowledged.splice(index, 1);
  }

  async allClients(): Promise<number[]> {
    const rows = await this.sql<{ id: number }>('SELECT id FROM clients ORDER BY id');
    return rows.map(({ id }) => id);
  }

  changed(mailingId: number, change: Partial<FinalMailing>): void {
    this.acknowledged.push({ what: 'mailing changed', mailingId, now: change });
  }

  /** To be called as soon as a pause, cancel or delete has been answered. */
  async stopped(mailingId: number, until?: number): Promise<void> {
    const at = now();
    const rows = await this.sql<{ id: number; claimed: boolean }>(
      `SELECT id, status <> 'pending' AS claimed FROM messages WHERE mailing_id = $1`,
      mailingId,
    );
    this.acknowledged.push({
      what: 'sending stopped',
      mailingId,
      at,
      ...(until !== undefined && { until }),
      claimed: new Set(rows.filter((row) => row.claimed).map(({ id }) => id)),
      messages: new Set(rows.map(({ id }) => id)),
    });
  }

  async counters(mailingId: number): Promise<Counters> {
    const [row] = await this.sql<Counters>(
      'SELECT * FROM mailing_counters WHERE mailing_id = $1',
      mailingId,
    );
    if (!row) throw new Error(`mailing ${mailingId} has no counters`);
    return row;
  }

  /** Waits until the counters of a mailing are as they should be. */
  until(
    mailingId: number,
    what: string,
    holds: (counters: Counters) => boolean,
    timeoutMs = MOST_WAIT_MS,
  ): Promise<Counters> {
    return waitFor(
      async () => {
        const counters = await this.counters(mailingId);
        return holds(counters) && counters;
      },
      { timeoutMs, what: `mailing ${mailingId}: ${what}`, everyMs: 20 },
    );
  }

  async sent(mailingId: number, least: number, timeoutMs?: number): Promise<void> {
    await this.until(mailingId, `${least} are sent`, ({ sent }) => sent >= least, timeoutMs);
  }

  async finished(mailingId: number, timeoutMs = MOST_WAIT_MS): Promise<void> {
    await waitFor(
      async () => {
        const rows = await this.sql(
          'SELECT 1 FROM mailings WHERE id = $1 AND finished_at IS NOT NULL',
          mailingId,
        );
        return rows.length === 1;
      },
      { timeoutMs, what: `mailing ${mailingId} has finished` },
    );
  }

  /** The notification lane: its breaker, and until when the provider asked it to wait. */
  async lane(): Promise<Lane> {
    const [row] = await this.sql<{
      state: string;
      reason: string | null;
      openedAt: Date | null;
      pausedUntil: Date | null;
    }>(
      `SELECT state, reason, opened_at AS "openedAt",
         CASE WHEN paused_until > clock_timestamp() THEN paused_until END AS "pausedUntil"
       FROM lanes WHERE name = 'notification'`,
    );
    if (!row) throw new Error('there is no lane');
    return {
      ...row,
      openedAt: row.openedAt?.getTime() ?? 0,
      pausedUntil: row.pausedUntil?.getTime() ?? null,
    };
  }

  /** Waits until the breaker is in such a state. */
  breaker(state: string, timeoutMs = 20_000): Promise<Lane> {
    return waitFor(
      async () => {
        const lane = await this.lane();
        return lane.state === state && lane;
      },
      { timeoutMs, what: `the breaker is ${state}`, everyMs: 20 },
    );
  }

  /** Measures from now to the next OK of the provider. */
  async resumes(after: string, limitMs: number): Promise<void> {
    const { oks } = await this.provider.totals();
    await this.measure(after, limitMs, async () => (await this.provider.totals()).oks > oks);
  }

  /** Measures the longest time without an OK between `since` and the last one. */
  async pauses(after: string, limitMs: number, since: number): Promise<void> {
    const received = await this.provider.received();
    const times = [since, ...received.flatMap(({ okTimes }) => okTimes)]
      .filter((at) => at >= since)
      .sort((a, b) => a - b);
    const gaps = times.slice(1).map((at, index) => at - (times[index] ?? at));
    const tookMs = gaps.length === 0 ? null : Math.max(...gaps);
    this.resumptions.push({ after, tookMs, limitMs });
  }

  async sleepUntil(moment: number): Promise<void> {
    await sleep(Math.max(0, moment - now()));
  }

  /** Measures from now until a session leads that is none of these. */
  async takesOver(after: string, limitMs: number, former: readonly number[]): Promise<void> {
    await this.measure(after, limitMs, async () => {
      const [leader] = await leaderSessions(this);
      return leader !== undefined && !former.includes(leader);
    });
  }

  /** Measures from `since` to the end of a mailing. */
  async drains(mailingId: number, after: string, limitMs: number, since = now()): Promise<void> {
    await this.measure(
      after,
      limitMs,
      async () => {
        const rows = await this.sql(
          'SELECT 1 FROM mailings WHERE id = $1 AND finished_at IS NOT NULL',
          mailingId,
        );
        return rows.length === 1;
      },
      since,
    );
  }

  private async measure(
    after: string,
    limitMs: number,
    look: () => Promise<boolean>,
    since = now(),
  ): Promise<void> {
    const timeoutMs = limitMs - (now() - since);
    const tookMs = await waitFor(look, { timeoutMs, what: after }).then(
      () => now() - since,
      () => null,
    );
    this.resumptions.push({ after, tookMs, limitMs });
  }
}

/** Milliseconds since 1970, as the stand-in counts them. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}
