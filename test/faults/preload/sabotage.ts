import { writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import pg from 'pg';

/**
 * Breaks the process that loads this, in the one way that FAULTS_SABOTAGE names, to see that the
 * suite notices. It lives in the tests alone and works from outside: statements are rewritten on
 * their way to the driver, a module's function is replaced. It writes to stderr what it does.
 */

type Rewrite = (text: string) => string;
interface Statement {
  text: string;
  values?: unknown[];
}
type Query = (this: unknown, statement: unknown, ...rest: unknown[]) => unknown;

type Done = (
  error: unknown,
  result: { rows?: { id: number; status: string }[] } | undefined,
) => void;

const said = new Set<string>();
const APPLIED = 'sabotage applied:';

/** Each must find the code that it breaks: otherwise the proof means nothing. */
const REWRITES: Record<string, { of: RegExp; rewrite: Rewrite } | undefined> = {
  'no-fence': {
    of: /attempt_outcome\[\]/,
    rewrite: (text) =>
      text.replace(
        "(l.status = 'sending' AND l.attempts = o.attempt /* fence */)",
        "l.status IN ('sending', 'pending', 'unknown')",
      ),
  },
  'no-sweep': {
    of: /m\.lease_until < clock_timestamp\(\)/,
    rewrite: (text) => text.replace('m.lease_until < clock_timestamp()', 'false'),
  },
  'attempts-reset': {
    of: /SET status = 'pending', not_before = '-infinity', tries = 0/,
    rewrite: (text) => text.replace('attempts = locked.attempts', 'attempts = 0'),
  },
  'counters-apart': {
    of: /LEAST\(l\.tries/,
    rewrite: (text) =>
      text.replace(
        'FROM delta d JOIN counters USING (mailing_id) WHERE k.mailing_id = d.mailing_id',
        'FROM delta d JOIN counters USING (mailing_id) WHERE k.mailing_id = d.mailing_id AND false',
      ),
  },
};

/** What the record statement no longer counts, some time after it: two transactions instead of one. */
const COUNT_LATER = `
  UPDATE mailing_counters k SET sending = k.sending - d.n, sent = k.sent + d.sent,
    failed = k.failed + d.failed, unknown = k.unknown + d.unknown, pending = k.pending + d.pending
  FROM (
    SELECT m.mailing_id, count(*) AS n, count(*) FILTER (WHERE becomes = 'sent') AS sent,
      count(*) FILTER (WHERE becomes = 'failed') AS failed,
      count(*) FILTER (WHERE becomes = 'unknown') AS unknown,
      count(*) FILTER (WHERE becomes = 'pending') AS pending
    FROM unnest($1::bigint[], $2::text[]) AS r (id, becomes) JOIN messages m ON m.id = r.id
    GROUP BY m.mailing_id
  ) d WHERE d.mailing_id = k.mailing_id`;
const LATER_MS = 400;

const sabotage = process.env.FAULTS_SABOTAGE ?? '';
const rewriting = REWRITES[sabotage];
if (rewriting) rewriteStatements(rewriting);
const SABOTAGES: Record<string, (() => void) | undefined> = {
  'any-200-delivers': takeEvery200ForAnOk,
  'deep-json-throws': throwForDeepJson,
  'quadratic-masking': maskInQuadraticTime,
  'continue-breaks': letContinueThrough,
  'local-is-remote': blameTheProvider,
  'log-waits': waitForTheLog,
  'no-halves': keepBatchesWhole,
  'reports-in-a-row': writeReportsInARow,
};
SABOTAGES[sabotage]?.();

function rewriteStatements({ of, rewrite }: { of: RegExp; rewrite: Rewrite }): void {
  const original = Reflect.get(pg.Client.prototype, 'query') as Query;
  const broken: Query = function (statement, ...rest) {
    if (!isStatement(statement) || !of.test(statement.text)) {
      return original.call(this, statement, ...rest);
    }
    const text = rewrite(statement.text);
    if (text !== statement.text) say();
    if (sabotage === 'counters-apart') {
      rest = rest.map((argument) =>
        typeof argument === 'function' ? countingLater(this, original, argument as Done) : argument,
      );
    }
    return original.call(this, { ...statement, text }, ...rest);
  };
  Object.assign(pg.Client.prototype, { query: broken });
}

/** The pool passes a callback: it continues as if all were done, and the counters follow later. */
function countingLater(session: unknown, query: Query, done: Done): Done {
  return (error, result) => {
    const rows = result?.rows ?? [];
    if (rows.length > 0) {
      setTimeout(() => {
        const values = [rows.map(({ id }) => id), rows.map(({ status }) => status)];
        query.call(session, { text: COUNT_LATER, values }, (failure: Error | null) => {
          if (failure) process.stderr.write(`${failure.message}\n`);
        });
      }, LATER_MS);
    }
    done(error, result);
  };
}

/** A module of the build, whose exports can be replaced before others use them. */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- the caller knows the module
function built<Module>(path: string): Module {
  return createRequire(resolve('package.json'))(resolve('dist/libs', path)) as Module;
}

function throwForDeepJson(): void {
  const { Records } = built<{
    Records: {
      prototype: { record: (result: { code: string }, ...rest: unknown[]) => unknown };
    };
  }>('engine/src/deliver/records.js');
  const original = Reflect.get(Records.prototype, 'record');
  Records.prototype.record = function (result, ...rest) {
    if (result.code !== 'bad_code') return original.call(this, result, ...rest);
    say();
    throw new RangeError('Maximum call stack size exceeded');
  };
}

function maskInQuadraticTime(): void {
  const words = built<{ detailOf: (text: string, secrets: object) => string }>(
    'channels/src/provider-words.js',
  );
  const original = words.detailOf;
  words.detailOf = (text, secrets) => {
    say();
    // eslint-disable-next-line regexp/no-super-linear-move -- what it shows
    text.replace(/\beyJ[\w-]{6,}\.[\w-]+|[\s().-]*9[\s().-]*1[\s().-]*6/g, '');
    return original(text, secrets);
  };
}

function letContinueThrough(): void {
  const interim = built<{ skipContinue: () => void }>('channels/src/http/interim-answers.js');
  interim.skipContinue = say;
}

function blameTheProvider(): void {
  const errors = built<{
    CallError: new (code: string, written: boolean, message: string) => Error;
    beforeWriting: (error: Error) => { code: string; message: string };
  }>('channels/src/http/call-error.js');
  const original = errors.beforeWriting;
  errors.beforeWriting = (error) => {
    const found = original(error);
    if (found.code !== 'local') return found;
    say();
    return new errors.CallError('connect_failed', false, found.message) as Error & typeof found;
  };
}

function waitForTheLog(): void {
  const { LogStream } = built<{ LogStream: { prototype: { write: (line: string) => void } } }>(
    'platform/src/logging/log-stream.js',
  );
  LogStream.prototype.write = (line) => {
    say();
    for (;;) {
      try {
        writeSync(1, line);
        return;
      } catch {
        // again
      }
    }
  };
}

function keepBatchesWhole(): void {
  const halves = built<{
    recordInHalves: (
      results: unknown[],
      record: (results: unknown[]) => Promise<unknown>,
    ) => unknown;
  }>('messages/src/record/halves.js');
  halves.recordInHalves = async (results, record) => {
    say();
    return { recorded: await record(results), refused: [] };
  };
}

function takeEvery200ForAnOk(): void {
  const classify = built<{
    classifyAnswer: (answer: { status: number }, ...rest: unknown[]) => unknown;
  }>('channels/src/notification-api/classify.js');
  const original = classify.classifyAnswer;
  classify.classifyAnswer = (answer, ...rest) => {
    if (answer.status !== 200) return original(answer, ...rest);
    say();
    return { kind: 'delivered', httpStatus: 200 };
  };
}

/** What fails ends the run, as in a plain loop. */
function writeReportsInARow(): void {
  type Run = (items: Iterable<unknown>, work: (item: unknown) => Promise<unknown>) => unknown;
  const { Isolated } = built<{
    Isolated: { prototype: { options: { task: string }; run: Run } };
  }>('platform/src/isolation/isolated.js');
  const original = Reflect.get<typeof Isolated.prototype, 'run'>(Isolated.prototype, 'run');
  Isolated.prototype.run = async function (this: { options: { task: string } }, items, work) {
    if (this.options.task !== 'report-write') return original.call(this, items, work);
    say();
    for (const item of items) await work(item);
    return { succeeded: 0, failed: 0, waiting: 0 };
  };
}

function isStatement(value: unknown): value is Statement {
  return typeof value === 'object' && value !== null && 'text' in value;
}

function say(): void {
  if (said.has(sabotage)) return;
  said.add(sabotage);
  process.stderr.write(`${APPLIED} ${sabotage}\n`);
}
