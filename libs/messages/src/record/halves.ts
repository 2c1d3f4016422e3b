import { isRefusal } from '@app/database';
import type { AttemptResult, Recorded } from './record.queries.js';

export interface Refused {
  result: AttemptResult;
  error: Error;
}

export interface RecordedInHalves {
  recorded: Recorded[];
  /** Each was refused by itself, also without the provider's words. */
  refused: Refused[];
}

/** After so many refused results in one batch the rest of the batch is not tried. */
const MOST_REFUSED = 16;

/**
 * Records what the database accepts: a batch that it refuses is halved, down to the results that it
 * refuses. One with words that the database's encoding cannot hold (an emoji and WIN1251) is recorded
 * without them.
 *
 * @throws any other error of `record`, for then it is not the results that are at fault.
 */
export async function recordInHalves(
  results: AttemptResult[],
  record: (results: AttemptResult[]) => Promise<Recorded[]>,
): Promise<RecordedInHalves> {
  const outcome: RecordedInHalves = { recorded: [], refused: [] };
  await recordPart(results, record, outcome);
  return outcome;
}

async function recordPart(
  results: AttemptResult[],
  record: (results: AttemptResult[]) => Promise<Recorded[]>,
  outcome: RecordedInHalves,
): Promise<void> {
  let refusal = outcome.refused.at(-1)?.error;
  if (outcome.refused.length < MOST_REFUSED) {
    try {
      outcome.recorded.push(...(await record(results)));
      return;
    } catch (error) {
      if (!isRefusal(error)) throw error;
      refusal = error;
    }
    const [result] = results;
    if (results.length > 1) {
      const middle = Math.ceil(results.length / 2);
      await recordPart(results.slice(0, middle), record, outcome);
      await recordPart(results.slice(middle), record, outcome);
      return;
    }
    if (result && hasWords(result)) {
      await recordPart([withoutWords(result)], record, outcome);
      return;
    }
  }
  const error = refusal ?? new Error('refused');
  outcome.refused.push(...results.map((result) => ({ result, error })));
}

const NO_WORDS = 'What was said could not be stored';

function hasWords({ detail, excerpt }: AttemptResult): boolean {
  return excerpt !== null || (detail !== null && detail !== NO_WORDS);
}

function withoutWords(result: AttemptResult): AttemptResult {
  return { ...result, detail: result.detail === null ? null : NO_WORDS, excerpt: null };
}
