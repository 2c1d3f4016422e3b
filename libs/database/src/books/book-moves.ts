import type { MessageStatus } from '../statuses.js';

/** The one status that all of them have, or the column that has it and what it can be. */
type Status = MessageStatus | { column: string; oneOf: readonly MessageStatus[] };

export interface Moves {
  /** The relation with a row for each message that moved. */
  rows: string;
  /** What it was; null: the message is new and adds to the total. */
  from: Status | null;
  to: Status;
  /**
   * The mailings of the messages: `many`, by the column `mailing_id`, and their counters are locked here, in their
   * order; `locked`: the same, and that has been done before; or the id of the one mailing, as SQL: a
   * single counter needs no order.
   */
  of: 'many' | 'locked' | { one: string };
  /** Condition on a row: from now on it is marked as repeated. */
  repeated?: string;
  /** Condition on a row: this attempt is one of those that a high rate of errors consists of. */
  bad?: string;
}

/**
 * The counters follow the messages, as SQL: the CTEs `delta` (a row for each mailing), `counters`
 * where they have to be locked, and `counted`, which has the `mailing_id`s. This and what is below is
 * the only arithmetic of counters; activity and totals follow by triggers.
 */
export function bookMoves(moves: Moves): string {
  return `${deltas(moves)}, counted AS (
  ${update(moves)}
  RETURNING k.mailing_id
)`;
}

/** The same as the end of a statement that begins with WITH, for PL/pgSQL. */
export function bookMovesLast(moves: Moves): string {
  return `${deltas(moves)}
${update(moves)}`;
}

/** The same for a known number of messages of one mailing, as a whole statement. */
export function bookNumber(
  n: string,
  { of, from, to }: { of: string; from: MessageStatus; to: MessageStatus },
): string {
  return `UPDATE mailing_counters k SET ${from} = k.${from} - ${n}, ${to} = k.${to} + ${n}
WHERE k.mailing_id = ${of}`;
}

function deltas(moves: Moves): string {
  const columns = Object.entries(changes(moves)).map(
    ([column, change]) => `${change} AS ${column}`,
  );
  if (typeof moves.of === 'object') {
    return `delta AS (
  SELECT ${columns.join(',\n    ')}
  FROM ${moves.rows} HAVING count(*) > 0
)`;
  }
  const delta = `delta AS (
  SELECT mailing_id, ${columns.join(',\n    ')}
  FROM ${moves.rows} GROUP BY mailing_id
)`;
  if (moves.of === 'locked') return delta;
  return `${delta}, counters AS (
  SELECT k.mailing_id FROM mailing_counters k
  WHERE k.mailing_id IN (SELECT mailing_id FROM delta) ORDER BY k.mailing_id FOR UPDATE
)`;
}

function update(moves: Moves): string {
  const sets = Object.keys(changes(moves)).map((column) => `${column} = k.${column} + d.${column}`);
  const head = `UPDATE mailing_counters k SET ${sets.join(', ')}
  FROM delta d`;
  if (typeof moves.of === 'object') return `${head} WHERE k.mailing_id = ${moves.of.one}`;
  const locked = moves.of === 'many' ? ' JOIN counters USING (mailing_id)' : '';
  return `${head}${locked} WHERE k.mailing_id = d.mailing_id`;
}

/** By how much each counter changes: an aggregate over the rows of a mailing. */
function changes({ from, to, repeated, bad }: Moves): Record<string, string> {
  const left = from === null ? {} : numbers(from);
  const got = numbers(to);
  const change = (column: string) =>
    `${got[column] ?? ''}${left[column] === undefined ? '' : ` - ${left[column]}`}`.trim();
  const columns = [...new Set([...Object.keys(left), ...Object.keys(got)])];
  return {
    ...(from === null && { total: 'count(*)' }),
    ...Object.fromEntries(columns.map((column) => [column, change(column)])),
    ...(repeated !== undefined && { repeated: `count(*) FILTER (WHERE ${repeated})` }),
    ...(bad !== undefined && { bad_attempts: `count(*) FILTER (WHERE ${bad})` }),
  };
}

function numbers(status: Status): Record<string, string> {
  if (typeof status === 'string') return { [status]: 'count(*)' };
  const { column, oneOf } = status;
  return Object.fromEntries(
    oneOf.map((one) => [one, `count(*) FILTER (WHERE ${column} = '${one}')`]),
  );
}
