import type { Backend, Environment } from '@app/testkit';
import type pg from 'pg';
import type { Trial } from './trial.js';

/** One fault, and what must hold through it. */
export interface Scenario {
  name: string;
  /** What must hold beyond the invariants, as a sentence for the report. */
  holds: string;
  backends: readonly Backend[];
  /** Also part of `npm test`. */
  short?: boolean;
  workers?: number;
  beats?: number;
  /** Messages that a worker sends at a time. */
  concurrency?: number;
  environment?: Environment;
  /** There is a second channel, `telegram`, with a provider and a policy of its own. */
  secondChannel?: boolean;
  /** Messages that may be taken twice, each with a mark. Default: none. */
  duplicates?: number;
  /** Answers may get lost on their way to us, so that a confirmed message may end as `unknown`. */
  answersMayGetLost?: boolean;
  /** Messages whose outcome the database may refuse at a time: they are held beside those in flight. */
  refusedOutcomes?: number;
  /** How long everything may take to end after the faults are over. */
  settleMs?: number;
  run: (trial: Trial) => Promise<void>;
}

/** Breaks a guarantee on purpose, to show that the suite detects it. */
export interface Sabotage {
  environment?: Environment;
  prepare?: (db: pg.Pool) => Promise<void>;
  settleMs?: number;
}

export const BOTH: readonly Backend[] = ['postgres', 'redis'];

export function scenarios(...list: Scenario[]): Scenario[] {
  return list;
}
