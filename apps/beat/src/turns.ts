import { setTimeout as sleep } from 'node:timers/promises';
import { oneAtATime, type Queryable, type Statement, withTimeouts } from '@app/database';

/** So long after its last statement a task that wanted another one would have asked for it, ms. */
const QUIET_MS = 5;
/** A low-priority statement waits at most this long, however busy the others are, ms. */
const MOST_WAIT_MS = 1_000;

/** Runs statements until it is stopped: a later one gets the error that the session has ended. */
export function untilStopped(db: Queryable): { db: Queryable; stop: () => void } {
  let isStopped = false;
  return {
    db: {
      // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- as Queryable has it
      query: <Row extends object>(statement: Statement) =>
        isStopped
          ? Promise.reject(new Error('Connection terminated: this beat stops'))
          : db.query<Row>(statement),
    },
    stop: () => {
      isStopped = true;
    },
  };
}

export interface Turns {
  /** First come, first served. */
  db: Queryable;
  /** For long statements: each waits for all short ones, but not for ever. */
  lowPriority: Queryable;
}

/**
 * One session for many tasks. If all took strict turns, a task of five short statements would wait for
 * five pieces of planning.
 */
export function takeTurns(session: Queryable, mostWaitMs = MOST_WAIT_MS): Turns {
  const turns = oneAtATime(withTimeouts(session));
  let asked = 0;
  let quietSince = -Infinity;

  async function untilQuiet(): Promise<void> {
    const limit = performance.now() + mostWaitMs;
    for (;;) {
      const now = performance.now();
      const isQuiet = asked === 0 && now - quietSince >= QUIET_MS;
      if (isQuiet || now >= limit) return;
      await sleep(QUIET_MS);
    }
  }

  return {
    db: {
      query: async (statement) => {
        asked++;
        try {
          return await turns.query(statement);
        } finally {
          asked--;
          quietSince = performance.now();
        }
      },
    },
    lowPriority: {
      query: async (statement) => {
        await untilQuiet();
        return turns.query(statement);
      },
    },
  };
}
