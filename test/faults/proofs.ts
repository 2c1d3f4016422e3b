import type { Backend, Invariant } from '@app/testkit';
import type pg from 'pg';
import { type Preload, preload } from './preload.js';
import type { Result } from './run-scenario.js';
import type { Sabotage } from './scenario.js';

/** A way to break the engine that the suite must detect. */
export interface Proof {
  name: string;
  /** What is broken, for the report. */
  breaks: string;
  scenario: string;
  backend: Backend;
  /** What has to go red; `scenario`: what it expects beyond the invariants. */
  invariant: Invariant | 'scenario';
  sabotage: Sabotage;
  /** Also part of `npm test`. */
  short?: boolean;
  /** By a preload, which logs that it has found the code that it breaks. */
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
    breaks: 'retry-failed starts the attempts at 0',
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
  inProcess('reports-in-a-row', {
    breaks: 'the first report that cannot be written ends the run',
    scenario: 'report-that-cannot-be-written',
    invariant: 'I10',
  }),
  inProcess('no-halves', {
    breaks: 'a batch with a refused outcome is tried again as a whole',
    scenario: 'outcomes-refused',
    invariant: 'I10',
  }),
  inProcess(
    'settings-as-found',
    {
      breaks: 'a session keeps the settings that it finds',
      scenario: 'settings-of-the-dba',
      invariant: 'scenario',
    },
    ['session-sabotage'],
  ),
  inProcess(
    'sessions-stay',
    {
      breaks: 'a session stays with a server that takes no writes',
      scenario: 'server-takes-no-writes',
      invariant: 'scenario',
    },
    ['session-sabotage'],
  ),
  withRates('spent-twice', {
    breaks: 'what is fed of a rate is counted twice',
    scenario: 'rate-reached-over-many-timezones',
  }),
  withRates('first-come', {
    breaks: 'the oldest mailing takes all the room',
    scenario: 'small-mailing-beside-a-large-one',
  }),
  inDatabase('lane-first', {
    breaks: 'in a lane with a rate a message is not granted unless its mailing has been late',
    scenario: 'rates-of-lane-and-mailing',
    invariant: 'scenario',
    of: 'reserve_for_claim',
    edits: [
      [
        /c_behind_lane CONSTANT double precision := 0\.08/,
        'c_behind_lane CONSTANT double precision := -0.2',
      ],
    ],
  }),
  withRates('no-look-ahead', {
    breaks: 'beat takes the queue for empty',
    scenario: 'many-mailings-over-many-timezones',
  }),
  withRates('rewind', {
    breaks: 'every change in the database starts all feeding again',
    scenario: 'api-writes-while-sending',
  }),
  withTasks('nothing-isolated', {
    breaks: 'the first mailing that fails ends the run of a task',
    scenario: 'one-mailing-fails-in-every-task',
  }),
  withTasks('pieces-of-one-size', {
    breaks: 'pieces do not follow the time that they take',
    scenario: 'database-becomes-slow',
  }),
  withTasks('stop-waits-for-statements', {
    breaks: 'a stop does not cancel what waits in the database',
    scenario: 'stopped-while-statements-wait',
  }),
  inProcess(
    'places-first-come',
    {
      breaks: 'a lane takes all places that are free',
      scenario: 'lane-beside-a-bad-one',
      invariant: 'scenario',
    },
    ['second-channel', 'lane-sabotage'],
  ),
  withQueue('doorbell-stays-lost', 'postgres', {
    breaks: 'the connection that hears of new jobs does not come back',
    scenario: 'doorbell-lost',
  }),
  withQueue('replaced-while-away', 'redis', {
    breaks: 'a connection to the queue is given up while it waits to connect again',
    scenario: 'redis-restarted',
  }),
  inDatabase('ids-from-the-dump', {
    breaks: 'the ids of messages go on from where the restored database left off',
    scenario: 'database-restored-from-a-dump',
    invariant: 'I4',
    of: 'keep_message_ids_ahead',
    edits: [[/IF \(SELECT last_value/, 'IF true OR (SELECT last_value']],
  }),
  inDatabase('ids-from-the-folder', {
    breaks: 'the ids of messages go on from where the copied folder left off',
    scenario: 'database-folder-put-back',
    invariant: 'I4',
    of: 'keep_message_ids_ahead',
    edits: [[/IF \(SELECT last_value/, 'IF true OR (SELECT last_value']],
  }),
  inDatabase('nothing-booked-back', {
    breaks: 'what is no longer failed stays failed in the activity',
    scenario: 'failed-are-retried',
    invariant: 'I11',
    of: 'note_activity',
    edits: [[/NEW\.failed - OLD\.failed/, 'GREATEST(0, NEW.failed - OLD.failed)']],
  }),
];

/** @returns what is missing for the proof; empty when the suite went red for the right reason. */
export function missingFrom(proof: Proof, { violations, failures, logs }: Result): string[] {
  const missing: string[] = [];
  const { says, invariant } = proof;
  if (says !== undefined && !logs.some((line) => line.includes(says))) {
    missing.push('the sabotage did not find what it breaks');
  }
  if (invariant === 'scenario') {
    if (failures.length === 0) missing.push('the scenario stayed green');
  } else if (!violations.some((violation) => violation.invariant === invariant)) {
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

/** Breaks the feeding, in beat. */
function withRates(name: string, proof: Pick<Proof, 'breaks' | 'scenario'>): Proof {
  return {
    ...proof,
    name,
    invariant: 'scenario',
    backend: 'postgres',
    sabotage: { environment: { ...preload('rate-sabotage'), FAULTS_SABOTAGE: name } },
    says: `sabotage applied: ${name}`,
  };
}

/** Breaks the connections to the queue. */
function withQueue(
  name: string,
  backend: Backend,
  proof: Pick<Proof, 'breaks' | 'scenario'>,
): Proof {
  return { ...inProcess(name, { ...proof, invariant: 'scenario' }, ['queue-sabotage']), backend };
}

/** Breaks the isolation of beat's tasks or the short stop. */
function withTasks(name: string, proof: Pick<Proof, 'breaks' | 'scenario'>): Proof {
  return inProcess(name, { ...proof, invariant: 'scenario' }, ['sabotage-tasks']);
}

function inDatabase(
  name: string,
  proof: Described & { of?: string; edits: [RegExp, string][] },
): Proof {
  const { of = 'claim_messages', edits, ...described } = proof;
  return {
    ...described,
    name,
    backend: 'postgres',
    sabotage: { prepare: (db) => editFunction(db, of, edits), settleMs: 5_000 },
  };
}

/** Puts an edited function into the place of the real one, in the scenario's own database. */
async function editFunction(db: pg.Pool, name: string, edits: [RegExp, string][]): Promise<void> {
  const { rows } = await db.query<{ text: string }>(
    `SELECT pg_get_functiondef($1::regproc) AS text`,
    [name],
  );
  let text = rows[0]?.text ?? '';
  for (const [from, to] of edits) {
    const edited = text.replace(from, to);
    if (edited === text) throw new Error(`${name} has nothing like ${from.source}`);
    text = edited;
  }
  await db.query(text);
}
