import type { Database, Queryable } from '@app/database';
import { DomainError, systemClock } from '@app/platform';
import {
  type Piece,
  type PieceBounds,
  PieceSize,
  reopenChunk,
  type ReopenCursor,
  type ReopenedChunk,
  reopenMailingIfNotEnded,
} from '@app/messages';
import {
  cancelIfNotEnded,
  type MailingRecord,
  pauseIfRunning,
  readMailing,
  resumeIfPaused,
} from '../mailing/mailing.queries.js';
import { noMailing } from '../mailing/mailing.service.js';
import { readReopenability } from './reopenability.queries.js';

/** Messages per transaction of a reopening: workers wait for its counter lock some 100 ms. */
const REOPEN_PIECES = { first: 2_000, least: 100, most: 5_000, aimMs: 100, limitMs: 1_000 };

/**
 * Steers a mailing that is under way. What is not claimed when a method resolves follows it: each
 * one commits, wakes beat, and lets every claim that may have seen the old state end.
 */
export class MailingControlService {
  constructor(
    private readonly database: Database,
    private readonly pieces: PieceBounds = REOPEN_PIECES,
  ) {}

  /** Pausing what is paused does nothing. @throws DomainError `conflict` when it is not running. */
  pause(id: number): Promise<MailingRecord> {
    return this.transit(id, pauseIfRunning, 'paused', 'Only a running mailing can be paused');
  }

  /** Resuming what runs does nothing. @throws DomainError `conflict` when it is not paused. */
  resume(id: number): Promise<MailingRecord> {
    return this.transit(id, resumeIfPaused, 'running', 'Only a paused mailing can be resumed');
  }

  /** For good. @throws DomainError `conflict` when it has completed. */
  cancel(id: number): Promise<MailingRecord> {
    return this.transit(
      id,
      cancelIfNotEnded,
      'cancelled',
      'A mailing that has ended stays as it is',
    );
  }

  /** Gives failed messages another run of tries; a completed mailing runs again for them. */
  retryFailed(id: number): Promise<number> {
    return this.reopen(id, 'failed');
  }

  /** Sends messages again of which nobody knows whether they arrived; they may arrive twice. */
  resendUnknown(id: number): Promise<number> {
    return this.reopen(id, 'unknown');
  }

  private async transit(
    id: number,
    change: (db: Queryable, id: number) => Promise<boolean>,
    target: MailingRecord['status'],
    rule: string,
  ): Promise<MailingRecord> {
    const db = this.database.pool;
    const changed = await change(db, id);
    const mailing = await readMailing(db, id);
    if (!mailing) throw noMailing(id);
    if (!changed && mailing.status !== target) {
      throw new DomainError('conflict', `${rule}; mailing ${id} is ${mailing.status}`);
    }
    // Also when somebody else has just made the change: its claims may still be running.
    await this.database.passGate();
    return mailing;
  }

  /** In chunks, so that neither locks nor a crash weigh on the whole mailing. */
  private async reopen(id: number, status: 'failed' | 'unknown'): Promise<number> {
    await assertReopenable(this.database.pool, id);
    const size = new PieceSize(this.pieces);
    let total = 0;
    let cursor: ReopenCursor | null = null;
    for (;;) {
      const after: ReopenCursor | null = cursor;
      const chunk: ReopenedChunk | null = await size.run((piece) =>
        this.reopenPiece(id, status, after, piece),
      );
      if (!chunk) continue; // it took too long, and nothing of it was done
      total += chunk.reopened;
      cursor = chunk.cursor;
      if (!cursor) return total;
    }
  }

  private reopenPiece(
    id: number,
    status: 'failed' | 'unknown',
    after: ReopenCursor | null,
    { limit, timeoutMs }: Piece,
  ): Promise<ReopenedChunk & { rows: number; tookMs: number }> {
    return this.database.transaction(async (session) => {
      if (timeoutMs !== undefined) await limitStatements(session, timeoutMs);
      const startedAt = systemClock.monotonic();
      const moved = await reopenChunk(session, id, status, after, limit);
      const tookMs = systemClock.monotonic() - startedAt;
      if (moved.reopened > 0 && !(await reopenMailingIfNotEnded(session, id))) {
        await assertReopenable(session, id);
        throw new DomainError('conflict', `Mailing ${id} has just changed; try again`);
      }
      return { ...moved, rows: moved.reopened, tookMs };
    });
  }
}

/** Until the end of the transaction. */
async function limitStatements(session: Queryable, timeoutMs: number): Promise<void> {
  await session.query({
    name: 'limit-statements',
    text: `SELECT set_config('statement_timeout', $1, true)`,
    values: [String(timeoutMs)],
  });
}

async function assertReopenable(db: Queryable, id: number): Promise<void> {
  const mailing = await readReopenability(db, id);
  if (!mailing) throw noMailing(id);
  if (mailing.status === 'cancelled' || mailing.status === 'scheduled') {
    throw new DomainError(
      'conflict',
      `The mailing is ${mailing.status}: nothing can be sent again`,
    );
  }
  if (mailing.ended) {
    throw new DomainError(
      'conflict',
      'The end of the mailing has passed: nothing can be sent again',
    );
  }
}
