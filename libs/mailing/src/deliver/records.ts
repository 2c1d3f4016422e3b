import type { Queryable } from '@app/domain';
import { Batcher, type Logger, messageOf } from '@app/platform';
import { BATCH_SIZE } from './limits.js';
import { recorded as recordedCounter } from './metrics.js';
import {
  type AttemptResult,
  type Recorded,
  recordOutcomesIfStillSending,
} from './record.queries.js';

const PAUSES_MS = [50, 100, 200, 500, 1_000, 2_000];

/**
 * Writes outcomes down in natural batches, one statement at a time. An outcome stays here until the
 * statement commits, whatever happens to the database meanwhile.
 */
export class Records {
  private readonly batcher: Batcher<AttemptResult, Recorded | null>;

  constructor(
    private readonly db: Queryable,
    private readonly repeatUnknown: boolean,
    private readonly logger: Logger,
  ) {
    this.batcher = new Batcher((results) => this.recordBatch(results), BATCH_SIZE);
  }

  /** @returns null when the fence kept the result out: the message has moved on without us. */
  record(result: AttemptResult): Promise<Recorded | null> {
    return this.batcher.add(result);
  }

  /** Outcomes that are not written down yet and not in a statement. */
  get waiting(): number {
    return this.batcher.size;
  }

  private async recordBatch(results: AttemptResult[]): Promise<(Recorded | null)[]> {
    const moved = new Map<AttemptResult, Recorded>();
    for (const batch of withDistinctIds(results)) {
      const byId = new Map((await this.untilCommitted(batch)).map((row) => [row.id, row]));
      for (const result of batch) {
        const row = byId.get(result.id);
        if (row) moved.set(result, row);
      }
    }
    const answers = results.map((result) => moved.get(result) ?? null);
    const byStatus = Map.groupBy(answers, (row) => row?.status ?? 'fenced');
    for (const [status, rows] of byStatus) recordedCounter.inc({ status }, rows.length);
    return answers;
  }

  private async untilCommitted(results: AttemptResult[]): Promise<Recorded[]> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await recordOutcomesIfStillSending(this.db, results, this.repeatUnknown);
      } catch (error) {
        this.logger.warn(
          { error: messageOf(error), messages: results.length },
          'outcomes could not be recorded and are kept',
        );
        const pause = PAUSES_MS[Math.min(attempt, PAUSES_MS.length - 1)];
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
    }
  }
}

/** One statement can move a row only once: a second result for it goes into a later one. */
function withDistinctIds(results: AttemptResult[]): AttemptResult[][] {
  const batches: Map<number, AttemptResult>[] = [];
  for (const result of results) {
    let batch = batches.find((candidate) => !candidate.has(result.id));
    if (!batch) {
      batch = new Map<number, AttemptResult>();
      batches.push(batch);
    }
    batch.set(result.id, result);
  }
  return batches.map((batch) => [...batch.values()]);
}
