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
}

/** The pool under TypeORM, so that entities and engine share its connections. */
export function poolOf(dataSource: DataSource): pg.Pool {
  return (dataSource.driver as unknown as { master: pg.Pool }).master;
}

/**
 * Integers as the text of an array parameter. The driver's own writer escapes each element, which on
 * the way of a message is a tenth of all garbage.
 */
export function intArray(values: readonly (number | null)[]): string {
  return `{${values.map((value) => value ?? 'NULL').join()}}`;
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
