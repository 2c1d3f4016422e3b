import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import {
  cancelStatement,
  checkDatabase,
  LEADER_LOCK,
  openSession,
  readQueuePrefix,
  type Queryable,
  type SessionSettings,
  type Statement,
  WAKE_CHANNEL,
} from '@app/database';
import { messageOf } from '@app/platform';
import type pg from 'pg';
import { takeTurns } from './turns.js';

/** SQLSTATE read_only_sql_transaction: another server may be the one that writes now. */
const TAKES_NO_WRITES = '25006';
/** The driver's message for a statement without an answer within its `query_timeout`. */
const SILENCE = 'Query read timeout';
const CLOSE_LIMIT_MS = 1_000;
const PROOF_EVERY_MS = 2_000;
/** A session is given up when its server takes no writes for so long, ms. */
const WRITELESS_LIMIT_MS = 30_000;

/**
 * The session that holds the leader's lock. All writes of the leader go through it, so a leader
 * that lost its lock has also lost the means to write.
 */
export class LeaderSession extends EventEmitter<{ lost: [Error]; wake: [] }> {
  readonly db: Queryable;
  /** The same session, for statements that take long and can wait. */
  readonly lowPriority: Queryable;
  private isOpen = true;
  private readonly proof: NodeJS.Timeout;
  private isProving = false;
  private wroteAt = performance.now();
  private trouble: Error | undefined;

  private constructor(
    private readonly client: pg.Client,
    readonly queuePrefix: string,
  ) {
    super();
    const session = watched(client, (error) => {
      this.lose(error);
    });
    this.proof = setInterval(() => void this.prove(), PROOF_EVERY_MS);
    ({ db: this.db, lowPriority: this.lowPriority } = takeTurns(session));
    client.on('error', (error) => {
      this.lose(error);
    });
    client.on('end', () => {
      this.lose(new Error('The connection ended'));
    });
    client.on('notification', () => this.emit('wake'));
  }

  /**
   * @returns null when another beat leads.
   * @throws when the database cannot be reached; UnusableDatabase when it cannot be used.
   */
  static async tryOpen(url: string): Promise<LeaderSession | null> {
    const client = await openSession(url, 'posthorn-beat-leader', LEADER);
    client.on('error', () => undefined);
    try {
      await checkDatabase(client);
      const { rows } = await client.query<{ leads: boolean }>(
        'SELECT pg_try_advisory_lock($1) AS leads',
        [LEADER_LOCK],
      );
      if (!rows[0]?.leads) {
        await closeSession(client);
        return null;
      }
      await client.query(KEEP_ALIVE);
      await client.query(`LISTEN ${WAKE_CHANNEL}`);
      return new LeaderSession(client, await readQueuePrefix(client));
    } catch (error) {
      await closeSession(client);
      throw error;
    }
  }

  /** Cancels the statement under way: its task gets an error. */
  async cancel(): Promise<void> {
    await cancelStatement(this.client);
  }

  async close(): Promise<void> {
    this.isOpen = false;
    clearInterval(this.proof);
    await closeSession(this.client);
  }

  /** Resolves when the leader could write a moment ago; rejects with the error. */
  check(): Promise<void> {
    return this.trouble ? Promise.reject(this.trouble) : Promise.resolve();
  }

  /** A statement that waits for its turn has not failed: a statement before it may take as long as it may. */
  private async prove(): Promise<void> {
    if (this.isProving) return;
    this.isProving = true;
    try {
      await checkDatabase(this.db);
      await this.db.query(WRITE);
      this.wroteAt = performance.now();
      this.trouble = undefined;
    } catch (error) {
      this.trouble = error as Error;
      const seconds = Math.round((performance.now() - this.wroteAt) / 1_000);
      if (seconds * 1_000 >= WRITELESS_LIMIT_MS) {
        this.lose(new Error(`no write has succeeded for ${seconds} s: ${messageOf(error)}`));
      }
    } finally {
      this.isProving = false;
    }
  }

  private lose(error: Error): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    clearInterval(this.proof);
    void closeSession(this.client);
    this.emit('lost', error);
  }
}

/** Takes a transaction's number, and waits until that is as safe as any commit. */
const WRITE: Statement = { name: 'leader-writes', text: 'SELECT pg_current_xact_id()' };

/**
 * A statement without any answer means that the connection was lost without an error: the driver would
 * keep waiting for that answer before it sends another one. With a server that takes no writes any more
 * beat cannot lead.
 */
function watched(client: pg.Client, onLoss: (error: Error) => void): Queryable {
  return {
    query: async <Row extends object>(statement: Statement) => {
      try {
        return await client.query<Row>(statement);
      } catch (error) {
        if (error instanceof Error) {
          const { code } = error as { code?: string };
          if (error.message === SILENCE || code === TAKES_NO_WRITES) onLoss(error);
        }
        throw error;
      }
    },
  };
}

/** Ends the session, within a limit: over a lost connection there is no answer. */
async function closeSession(client: pg.Client): Promise<void> {
  const { stream } = (client as unknown as { connection: { stream: Socket } }).connection;
  const limit = setTimeout(() => stream.destroy(), CLOSE_LIMIT_MS);
  await client.end().catch(() => undefined);
  clearTimeout(limit);
}

/**
 * A leader whose machine vanished, or whose process hangs, must lose its lock soon: the loops use the
 * session several times a second, so ten idle seconds mean that they stand still. And all of them wait
 * while one waits for a lock: longer than five seconds only its own mailing may.
 */
const LEADER: SessionSettings = {
  avoidSequentialScans: true,
  ownSession: true,
  more: { idle_session_timeout: '10s', lock_timeout: '5s' },
};
/** They are read back, for the socket does not always have what was asked for. */
const KEEP_ALIVE = `
  SET tcp_keepalives_idle = 5;
  SET tcp_keepalives_interval = 2;
  SET tcp_keepalives_count = 3;
  SET tcp_user_timeout = '10s';
`;
