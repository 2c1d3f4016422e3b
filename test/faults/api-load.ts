import { type ApiAnswer, p95 } from './http-caller.js';
import type { Trial } from './trial.js';

/** Beyond twice the time that it took before, so much more is allowed for a busy machine, ms. */
const SLACK_MS = 75;

/** Writes and reads as clients of the API do, one after the other; leaves nothing behind. */
export async function useApi(trial: Trial, rounds: number): Promise<ApiAnswer[]> {
  const answers: ApiAnswer[] = [];
  for (let round = 0; round < rounds; round++) {
    const body = trial.mailingBody({ name: 'Later', startsInMs: 3_600_000 });
    const created = await trial.call<{ id: number }>('POST', '/mailings', body);
    answers.push(created);
    answers.push(await trial.call('GET', '/mailings/statistics'));
    answers.push(await trial.call('GET', `/mailings/${created.body.id}`));
    answers.push(await trial.call('DELETE', `/mailings/${created.body.id}`));
  }
  return answers;
}

/** Every call succeeds, and as fast as before. */
export function expectUnaffected(
  trial: Trial,
  during: string,
  before: readonly ApiAnswer[],
  answers: readonly ApiAnswer[],
): void {
  const failed = answers.filter(({ status }) => status >= 300);
  trial.expect(failed.length === 0, `${during}: ${failed.length} calls of the API failed`);
  const [was, is] = [p95(before), p95(answers)];
  trial.expect(
    is <= 2 * was + SLACK_MS,
    `${during}: the API answers in ${Math.round(is)} ms (p95), before in ${Math.round(was)} ms`,
  );
}
