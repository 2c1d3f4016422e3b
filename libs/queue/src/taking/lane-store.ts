import { Job, type IQueueBackend, type JobJson, type MinimalJob, UnrecoverableError } from 'bullmq';
import type { Clock } from '@app/platform';
import { LOCK_MS } from '../connections.js';
import type { SharedBackend } from '../shared-backend.js';

/** A job in hand. */
export interface TakenJob {
  readonly id: string;
  /** The lock's token. */
  readonly token: string;
  /** As the queue keeps it. */
  readonly stored: JobJson;
  /** On the monotonic clock, ms. */
  lockedAt: number;
}

/** The answer of a lane's queue to a fetch. */
export interface Fetched {
  jobs: TakenJob[];
  /** When the next delayed job is due, Unix time in ms; 0: there is none, or it was not asked for. */
  delayUntil: number;
}

/** The queue of one lane for the process that takes its jobs. Every call rejects when the queue fails. */
export interface LaneStore {
  /** Jobs that it may take at a time. */
  readonly most: number;
  /** Fewer than asked for: no more are waiting. */
  take(count: number): Promise<Fetched>;
  /**
   * The job is finished: removes it.
   *
   * @param next whether another one may be taken in its place.
   * @returns undefined when it was not looked for.
   */
  complete(job: TakenJob, next: boolean): Promise<Fetched | undefined>;
  /** Delays the job; it keeps its tries. */
  putOff(job: TakenJob, ms: number): Promise<void>;
  /** Has the queue retry it, or keep it among the failed ones. */
  fail(job: TakenJob, error: Error): Promise<void>;
  /** @returns the ids of the jobs that somebody else may have taken. */
  renewLocks(jobs: TakenJob[]): Promise<string[]>;
  /** Gives back the jobs of workers that have died. */
  returnStalled(): Promise<void>;
}

/** Somebody else has the job by now, or nobody: the queue was emptied. */
export function isLost(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return typeof code === 'number' && code < 0;
}

/** What both backends share, by the calls of the client library. */
export abstract class BackendStore {
  private fetches = 0;

  constructor(
    protected readonly shared: SharedBackend,
    protected readonly lane: string,
    /** Of this process. */
    private readonly id: string,
    protected readonly clock: Clock,
  ) {}

  async putOff(job: TakenJob, ms: number): Promise<void> {
    const delay = Math.max(0, Math.ceil(ms));
    const options = { skipAttempt: true };
    await this.backend.moveToDelayed(job.id, this.clock.now().getTime(), delay, job.token, options);
  }

  async fail({ id, stored, token }: TakenJob, error: Error): Promise<void> {
    const job = Job.fromJSON(this.shared.queue(this.lane), stored, id);
    await job.moveToFailed(error, token, false);
  }

  renewLocks(jobs: TakenJob[]): Promise<string[]> {
    const ids = jobs.map(({ id }) => id);
    const tokens = jobs.map(({ token }) => token);
    return this.backend.extendLocks(ids, tokens, LOCK_MS);
  }

  async returnStalled(): Promise<void> {
    await this.backend.moveStalledJobsToWait();
  }

  protected async completeOne(job: TakenJob, next: boolean): Promise<unknown[]> {
    const { stored, token } = job;
    const { result } = await this.backend.moveToCompleted(
      { id: job.id, opts: stored.opts } as MinimalJob,
      undefined,
      stored.opts.removeOnComplete as never,
      token,
      next,
    );
    return (result ?? []) as unknown[];
  }

  protected get backend(): IQueueBackend {
    return this.shared.backend(this.lane);
  }

  protected newToken(): string {
    return `${this.id}:${this.fetches++}`;
  }
}

/** One job at a time: to Redis batches bring nothing. */
export class RedisStore extends BackendStore implements LaneStore {
  readonly most = 1;

  async take(): Promise<Fetched> {
    const token = this.newToken();
    return this.answer(await this.backend.moveToActive(token), token);
  }

  async complete(job: TakenJob, next: boolean): Promise<Fetched | undefined> {
    const answer = await this.completeOne(job, next);
    return next ? this.answer(answer, job.token) : undefined;
  }

  private answer(answer: unknown[], token: string): Fetched {
    const [stored, id, , delayUntil] = answer as [JobJson | null, string, unknown, unknown];
    const jobs = stored ? [{ id, token, stored, lockedAt: this.clock.monotonic() }] : [];
    return { jobs, delayUntil: Number(delayUntil) || 0 };
  }
}

/** @throws UnrecoverableError for data that is not JSON, and for a job that the queue gave up. */
export function dataOf({ stored }: TakenJob): unknown {
  const { deferredFailure } = stored as { deferredFailure?: string };
  if (deferredFailure !== undefined) throw new UnrecoverableError(deferredFailure);
  try {
    return JSON.parse(stored.data) as unknown;
  } catch {
    return undefined;
  }
}
