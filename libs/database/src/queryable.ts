import type pg from 'pg';
import type { DataSource } from 'typeorm';

/** A pool or one session of it: what the engine's statements run on. */
export interface Queryable {
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- as pg declares it: the caller knows the columns
  query<Row extends object>(
    statement: Statement,
  ): Promise<{ rows: Row[]; rowCount: number | null }>;
}

/** A named statement is prepared once per connection. */
export interface Statement {
  name?: string;
  text: string;
  values?: unknown[];
  /** The server ends it after this, ms, where that is less than its session allows: see `withTimeouts`. */
  timeoutMs?: number;
}

/** The pool under TypeORM, so that entities and engine share its connections. */
export function poolOf(dataSource: DataSource): pg.Pool {
  return (dataSource.driver as unknown as { master: pg.Pool }).master;
}

/**
 * Integers as the text of an array parameter. The driver's own writer escapes each element, which is
 * a tenth of all garbage of sending a message.
 */
export function intArray(values: readonly (number | null)[]): string {
  return `{${values.map((value) => value ?? 'NULL').join()}}`;
}

/**
 * Sets the limit of each statement that has one of its own, and puts back that of the session.
 *
 * @param session one connection, which nobody uses while a statement is under way.
 */
export function withTimeouts(session: Queryable): Queryable {
  return {
    // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- as Queryable has it
    query: async <Row extends object>({ timeoutMs, ...statement }: Statement) => {
      if (timeoutMs === undefined) return session.query<Row>(statement);
      const before = await setTimeoutTo(session, String(timeoutMs));
      try {
        return await session.query<Row>(statement);
      } finally {
        // Fails on a lost session only, which the statement has reported.
        await setTimeoutTo(session, before).catch(() => undefined);
      }
    },
  };
}

/** @returns what it was. */
async function setTimeoutTo(session: Queryable, limit: string): Promise<string> {
  const { rows } = await session.query<{ before: string }>({
    name: 'set-statement-timeout',
    text: `SELECT current_setting('statement_timeout') AS before,
      set_config('statement_timeout', $1, false) AS after`,
    values: [limit],
  });
  return rows[0]?.before ?? '0';
}

/** Statements wait for their turn here, and neither in the driver nor for each other's locks. */
export function oneAtATime(db: Queryable): Queryable {
  let last: Promise<unknown> = Promise.resolve();
  return {
    // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- as Queryable has it
    query: <Row extends object>(statement: Statement) => {
      const result = last.then(() => db.query<Row>(statement));
      last = result.catch(() => undefined);
      return result;
    },
  };
}
