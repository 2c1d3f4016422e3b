import type { Backend, Invariant } from '@app/testkit';
import type pg from 'pg';
import { type Preload, preload } from './preload.js';
import type { Result } from './run-scenario.js';
import type { Sabotage } from './scenario.js';

/** A way to break the engine that the suite must not miss. */
export interface Proof {
  name: string;
  /** What is broken, for the report. */
  breaks: string;
  scenario: string;
  backend: Backend;
  /** What has to go red. */
  invariant: Invariant;
  sabotage: Sabotage;
  /** Also part of `npm test`. */
  short?: boolean;
  /** By a preload, which says that it has found what it breaks. */
  says?: string;
}

export const PROOFS: readonly Proof[] = [
  inProcess('no-fence', {
    breaks: 'outcomes are recorded for whatever attempt is under way',
    scenario: 'worker-stopped-between-claim-and-send',
    invariant: 'I4',
  }),
  inProcess('any-200-delivers', {
    breaks: 'any HTTP 200 counts as delivered',
    scenario: 'provider-answers-garbage',
    invariant: 'I2',
    short: true,
  }),
  inProcess('no-sweep', {
    breaks: 'leases that ran out are not swept',
    scenario: 'worker-killed-between-ok-and-record',
    invariant: 'I1',
  }),
  inDatabase('no-end-check', {
    breaks: 'the claim does not look at the end and the slot',
    scenario: 'end-passes-while-sending',
    invariant: 'I5',
    edits: [
      [/AND g\.end_at > v_now \+ make_interval\([^\n]*\)\n/, '\n'],
      [/AND s\.opens_at <= v_now AND s\.closes_at > v_now[^\n]*\n/, '\n'],
      [/extract\(epoch FROM LEAST\(s\.closes_at[^\n]* AS ms_left\n/, '60000::float8 AS ms_left\n'],
    ],
  }),
  inDatabase('no-gate', {
    breaks: 'the claim does not pass the gate',
    scenario: 'pause-while-rows-are-locked',
    invariant: 'I6',
    short: true,
    edits: [[/PERFORM pg_advisory_xact_lock_shared\([^\n]*\);\n/, '\n']],
  }),
  inProcess('attempts-reset', {
    breaks: 'retry-failed starts the attempts anew',
    scenario: 'failed-are-retried',
    invariant: 'I4',
  }),
  inProcess('counters-apart', {
    breaks: 'the counters change in a transaction of their own',
    scenario: 'worker-killed-ten-times',
    invariant: 'I7',
  }),
  inProcess('deep-json-throws', {
    breaks: 'an answer of deep JSON ends the delivery by an exception',
    scenario: 'provider-answers-deep-json',
    invariant: 'I10',
  }),
  inProcess('quadratic-masking', {
    breaks: 'phones are masked by a pattern that takes quadratic time',
    scenario: 'provider-answers-with-dashes',
    invariant: 'I10',
  }),
  inProcess('continue-breaks', {
    breaks: '100 Continue reaches the HTTP client',
    scenario: 'provider-says-continue-first',
    invariant: 'I4',
  }),
  inProcess('local-is-remote', {
    breaks: 'a lack of descriptors is the provider’s fault',
    scenario: 'worker-out-of-descriptors',
    invariant: 'I10',
  }),
  inProcess(
    'log-waits',
    {
      breaks: 'log lines are written until the disk takes them',
      scenario: 'log-disk-full',
      invariant: 'I10',
    },
    ['full-log', 'sabotage'],
  ),
  inProcess('no-halves', {
    breaks: 'a batch with a refused outcome is tried again as a whole',
    scenario: 'outcomes-refused',
    invariant: 'I10',
  }),
];

/** @returns what is missing for the proof; empty when the suite went red for the right reason. */
export function missingFrom(proof: Proof, { violations, logs }: Result): string[] {
  const missing: string[] = [];
  const { says, invariant } = proof;
  if (says !== undefined && !logs.some((line) => line.includes(says))) {
    missing.push('the sabotage did not find what it breaks');
  }
  if (!violations.some((violation) => violation.invariant === invariant)) {
    const found = [...new Set(violations.map((violation) => violation.invariant))].join(', ');
    missing.push(`${invariant} stayed green (red: ${found || 'nothing'})`);
  }
  return missing;
}

type Described = Pick<Proof, 'breaks' | 'scenario' | 'invariant' | 'short'>;

function inProcess(name: string, proof: Described, preloads: Preload[] = ['sabotage']): Proof {
  return {
    ...proof,
    name,
    backend: 'postgres',
    sabotage: { environment: { ...preload(...preloads), FAULTS_SABOTAGE: name }, settleMs: 5_000 },
    says: `sabotage applied: ${name}`,
  };
}

function inDatabase(name: string, proof: Described & { edits: [RegExp, string][] }): Proof {
  const { edits, ...described } = proof;
  return {
    ...described,
    name,
    backend: 'postgres',
    sabotage: { prepare: (db) => editClaim(db, edits), settleMs: 5_000 },
  };
}

/** Puts an edited claim into the place of the real one, in the scenario's own database. */
async function editClaim(db: pg.Pool, edits: [RegExp, string][]): Promise<void> {
  const { rows } = await db.query<{ text: string }>(
    `SELECT pg_get_functiondef('claim_messages'::regproc) AS text`,
  );
  let text = rows[0]?.text ?? '';
  for (const [from, to] of edits) {
    const edited = text.replace(from, to);
    if (edited === text) throw new Error(`the claim has nothing like ${from.source}`);
    text = edited;
  }
  await db.query(text);
}
