import type { JobJson } from 'bullmq';
import type pg from 'pg';
import { Batcher, type Clock } from '@app/platform';
import { LOCK_MS } from '../connections.js';
import type { SharedBackend } from '../shared-backend.js';
import { type Fetched, BackendStore, type LaneStore, type TakenJob } from './lane-store.js';

/** Jobs that are taken, or completed, by one statement. */
const BATCH = 50;

/**
 * The functions are the client library's own, called as its own statements call them, but many times
 * in one statement: a round trip and a commit for each job cost more than half of the throughput. The
 * spec knows their text, and fails when another version brings another one.
 *
 * It ends at the first call that finds nothing: the others would only look again.
 */
const TAKE = `
  WITH RECURSIVE taken AS (
    SELECT 1 AS nth, job.* FROM move_to_active($1, $2, $3, $4, NULL, NULL, NULL) AS job
    UNION ALL
    SELECT taken.nth + 1, job.*
    FROM taken, LATERAL move_to_active($1, $2, $3, $4 + 0 * taken.nth, NULL, NULL, NULL) AS job
    WHERE taken.nth < $5
  )
  SELECT id, name, data, opts, attempts_made, attempts_started, added_at_ms, stacktrace, deferred_failure
  FROM taken ORDER BY nth`;
const NEXT_SIGNAL = 'SELECT next_delay FROM next_signal($1, NULL, $2)';
const COMPLETE = `
  SELECT move_to_completed(job.queue, job.id, job.token, 'null'::jsonb, $4, false, NULL, 0)
  FROM unnest($1::text[], $2::text[], $3::text[]) AS job (queue, id, token)`;

interface Row {
  id: string;
  name: string;
  data: unknown;
  opts: JobJson['opts'];
  attempts_made: number;
  attempts_started: number;
  added_at_ms: number;
  stacktrace: string[] | null;
  deferred_failure: string | null;
}

interface Completion {
  queue: string;
  job: TakenJob;
  complete: () => Promise<unknown>;
}

/** Of all lanes, in one statement at a time: what gathers meanwhile goes with the next one. */
export class Completions {
  private readonly batcher = new Batcher((all: Completion[]) => this.run(all), BATCH);

  constructor(
    private readonly shared: SharedBackend,
    private readonly clock: Clock,
  ) {}

  /** @throws what the queue's error for this job. */
  async add(completion: Completion): Promise<void> {
    const error = await this.batcher.add(completion);
    if (error !== undefined) throw error as Error;
  }

  private async run(all: Completion[]): Promise<unknown[]> {
    const queues = all.map(({ queue }) => queue);
    const ids = all.map(({ job }) => job.id);
    const tokens = all.map(({ job }) => job.token);
    try {
      await poolOf(this.shared).query({
        name: 'complete',
        text: COMPLETE,
        values: [queues, ids, tokens, this.clock.now().getTime()],
      });
      return [];
    } catch (error) {
      // SQLSTATE of the functions' own refusals: one job is lost, and the statement with it.
      if ((error as { code?: unknown }).code !== 'BM001') throw error;
      return Promise.all(all.map(({ complete }) => complete().then(() => undefined, itself)));
    }
  }
}

const itself = (error: unknown) => error;

/** By batches of the client library's functions. */
export class PostgresStore extends BackendStore implements LaneStore {
  readonly most = BATCH;

  constructor(
    shared: SharedBackend,
    lane: string,
    id: string,
    clock: Clock,
    private readonly completions: Completions,
  ) {
    super(shared, lane, id, clock);
  }

  async take(count: number): Promise<Fetched> {
    const token = this.newToken();
    const pool = poolOf(this.shared);
    const now = this.clock.now().getTime();
    const { rows } = await pool.query<Row>({
      name: 'take',
      text: TAKE,
      values: [this.lane, token, LOCK_MS, now, count],
    });
    const lockedAt = this.clock.monotonic();
    const jobs = rows.map((row) => ({ id: row.id, token, stored: storedOf(row), lockedAt }));
    if (jobs.length === count) return { jobs, delayUntil: 0 };
    const signal = await pool.query<{ next_delay: number | null }>({
      name: 'next_signal',
      text: NEXT_SIGNAL,
      values: [this.lane, now],
    });
    return { jobs, delayUntil: signal.rows[0]?.next_delay ?? 0 };
  }

  /** What is waiting is asked for by the batch. */
  async complete(job: TakenJob): Promise<undefined> {
    const complete = () => this.completeOne(job, false);
    await this.completions.add({ queue: this.lane, job, complete });
  }
}

function poolOf(shared: SharedBackend): pg.Pool {
  const { pool } = shared;
  if (!pool) throw new Error('The queue is not in PostgreSQL');
  return pool;
}

function storedOf(row: Row): JobJson {
  return {
    id: row.id,
    name: row.name,
    data: JSON.stringify(row.data),
    opts: row.opts,
    timestamp: row.added_at_ms,
    attemptsMade: row.attempts_made,
    attemptsStarted: row.attempts_started,
    stacktrace: JSON.stringify(row.stacktrace ?? []),
    returnvalue: 'null',
    progress: 0,
    stalledCounter: 0,
    ...(row.deferred_failure !== null && { deferredFailure: row.deferred_failure }),
  } as unknown as JobJson;
}
