import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import {
  connectionOptions,
  LEADER_LOCK,
  type Queryable,
  type Statement,
  WAKE_CHANNEL,
} from '@app/domain';
import pg from 'pg';
import { takeTurns } from './turns.js';

/** The driver's words for a statement that was not answered within its `query_timeout`. */
const SILENCE = 'Query read timeout';
const GOODBYE_MS = 1_000;

/**
 * The session that holds the leader's lock. All writes of the leader go through it, so a leader
 * that lost its lock has also lost the means to write.
 */
export class LeaderSession extends EventEmitter<{ lost: [Error]; wake: [] }> {
  readonly db: Queryable;
  /** The same session, for what takes long and can wait. */
  readonly patient: Queryable;
  private isOpen = true;

  private constructor(private readonly client: pg.Client) {
    super();
    const session = watched(client, (error) => {
      this.lose(error);
    });
    ({ db: this.db, patient: this.patient } = takeTurns(session));
    client.on('error', (error) => {
      this.lose(error);
    });
    client.on('end', () => {
      this.lose(new Error('The connection ended'));
    });
    client.on('notification', () => this.emit('wake'));
  }

  /** @returns null when another beat leads. @throws when the database cannot be reached. */
  static async tryOpen(url: string): Promise<LeaderSession | null> {
    const client = new pg.Client(
      connectionOptions(url, 'posthorn-beat-leader', { avoidSequentialScans: true }),
    );
    client.on('error', () => undefined);
    await client.connect();
    try {
      const { rows } = await client.query<{ leads: boolean }>(
        'SELECT pg_try_advisory_lock($1) AS leads',
        [LEADER_LOCK],
      );
      if (!rows[0]?.leads) {
        await letGo(client);
        return null;
      }
      await client.query(SETTINGS);
      await client.query(`LISTEN ${WAKE_CHANNEL}`);
      return new LeaderSession(client);
    } catch (error) {
      await letGo(client);
      throw error;
    }
  }

  async close(): Promise<void> {
    this.isOpen = false;
    await letGo(this.client);
  }

  private lose(error: Error): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    void letGo(this.client);
    this.emit('lost', error);
  }
}

/**
 * A statement without any answer means that the connection died without a word: the driver would go
 * on waiting for that answer before it sends another one.
 */
function watched(client: pg.Client, onSilence: (error: Error) => void): Queryable {
  return {
    query: async <Row extends object>(statement: Statement) => {
      try {
        return await client.query<Row>(statement);
      } catch (error) {
        if (error instanceof Error && error.message === SILENCE) onSilence(error);
        throw error;
      }
    },
  };
}

/** Says goodbye, but not for long: over a dead connection it would never be answered. */
async function letGo(client: pg.Client): Promise<void> {
  const { stream } = (client as unknown as { connection: { stream: Socket } }).connection;
  const limit = setTimeout(() => stream.destroy(), GOODBYE_MS);
  await client.end().catch(() => undefined);
  clearTimeout(limit);
}

/**
 * A leader whose machine vanished, or whose process hangs, must lose its lock soon: the loops use the
 * session several times a second, so ten idle seconds mean that they stand still.
 */
const SETTINGS = `
  SET idle_session_timeout = '10s';
  SET tcp_keepalives_idle = 5;
  SET tcp_keepalives_interval = 2;
  SET tcp_keepalives_count = 3;
  SET tcp_user_timeout = '10s';
`;
