import type { Actor, ChangeLog } from '@app/audit';
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

const TRANSITIONS = {
  pause: {
    change: pauseIfRunning,
    target: 'paused',
    rule: 'Only a running mailing can be paused',
  },
  resume: {
    change: resumeIfPaused,
    target: 'running',
    rule: 'Only a paused mailing can be resumed',
  },
  cancel: {
    change: cancelIfNotEnded,
    target: 'cancelled',
    rule: 'A mailing that has ended stays as it is',
  },
} as const;

/**
 * Changes a mailing that is under way. Messages that are not claimed when a method resolves follow it: each
 * one commits, wakes beat, and lets every claim that may have seen the old state end.
 */
export class MailingControlService {
  constructor(
    private readonly database: Database,
    private readonly changes: ChangeLog,
    private readonly pieces: PieceBounds = REOPEN_PIECES,
  ) {}

  /** Does nothing when it is paused already. @throws DomainError `conflict` when it is not running. */
  pause(actor: Actor, id: number): Promise<MailingRecord> {
    return this.transit(actor, 'pause', id);
  }

  /** Does nothing when it is running already. @throws DomainError `conflict` when it is not paused. */
  resume(actor: Actor, id: number): Promise<MailingRecord> {
    return this.transit(actor, 'resume', id);
  }

  /** Final. @throws DomainError `conflict` when it has completed. */
  cancel(actor: Actor, id: number): Promise<MailingRecord> {
    return this.transit(actor, 'cancel', id);
  }

  /** Gives failed messages another run of tries; a completed mailing runs again for them. */
  retryFailed(actor: Actor, id: number): Promise<number> {
    return this.reopen(actor, 'mailing.retry_failed', id, 'failed');
  }

  /** Sends messages again of which nobody knows whether they arrived; they may arrive twice. */
  resendUnknown(actor: Actor, id: number): Promise<number> {
    return this.reopen(actor, 'mailing.resend_unknown', id, 'unknown');
  }

  private async transit(
    actor: Actor,
    name: keyof typeof TRANSITIONS,
    id: number,
  ): Promise<MailingRecord> {
    const { change, target, rule } = TRANSITIONS[name];
    const db = this.database.pool;
    const changed = await change(db, id);
    if (changed) this.changes.add(actor, `mailing.${name}`, id);
    const mailing = await readMailing(db, id);
    if (!mailing) throw noMailing(id);
    if (!changed && mailing.status !== target) {
      throw new DomainError('conflict', `${rule}; mailing ${id} is ${mailing.status}`).because(
        'mailing_status',
        { status: mailing.status },
      );
    }
    // Also when somebody else has just made the change: its claims may still be running.
    await this.database.passGate();
    return mailing;
  }

  private async reopen(
    actor: Actor,
    action: 'mailing.retry_failed' | 'mailing.resend_unknown',
    id: number,
    status: 'failed' | 'unknown',
  ): Promise<number> {
    await assertReopenable(this.database.pool, id);
    const reopened = { total: 0 };
    try {
      await this.reopenPieces(id, status, reopened);
    } finally {
      if (reopened.total > 0) this.changes.add(actor, action, id);
    }
    return reopened.total;
  }

  /** In pieces, so that neither locks nor a crash affect the whole mailing; `reopened` counts what is committed. */
  private async reopenPieces(
    id: number,
    status: 'failed' | 'unknown',
    reopened: { total: number },
  ): Promise<void> {
    const size = new PieceSize(this.pieces);
    let cursor: ReopenCursor | null = null;
    for (;;) {
      const after: ReopenCursor | null = cursor;
      const chunk: ReopenedChunk | null = await size.run((piece) =>
        this.reopenPiece(id, status, after, piece),
      );
      if (!chunk) continue; // it took too long, and nothing of it was done
      reopened.total += chunk.reopened;
      cursor = chunk.cursor;
      if (!cursor) return;
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
        throw new DomainError('conflict', `Mailing ${id} has just changed; try again`).because(
          'changed_meanwhile',
        );
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
    ).because('mailing_status', { status: mailing.status });
  }
  if (mailing.ended) {
    throw new DomainError(
      'conflict',
      'The end of the mailing has passed: nothing can be sent again',
    ).because('mailing_ended');
  }
}
