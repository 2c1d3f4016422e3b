import type { Queryable } from '@app/domain';
import { DomainError } from '@app/platform';
import type { DataSource } from 'typeorm';
import { passGate } from './gate.js';
import {
  cancelIfNotEnded,
  type MailingRecord,
  pauseIfRunning,
  readMailing,
  resumeIfPaused,
} from './mailing.queries.js';
import { noMailing } from './mailing.service.js';
import {
  readReopenability,
  reopenChunk,
  type ReopenCursor,
  type ReopenedChunk,
  reopenMailingIfNotEnded,
} from './reopen.queries.js';
import { databaseOf, inTransaction } from './transaction.js';

/** Messages per transaction of a reopening: workers wait for its counter lock some 100 ms. */
const REOPEN_CHUNK = 5_000;

/**
 * Steers a mailing that is under way. What is not claimed when a method resolves follows it: each
 * one commits, wakes beat, and lets every claim that may have seen the old state end.
 */
export class MailingControlService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly reopenChunkSize = REOPEN_CHUNK,
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
    const db = databaseOf(this.dataSource);
    const changed = await change(db, id);
    const mailing = await readMailing(db, id);
    if (!mailing) throw noMailing(id);
    if (!changed && mailing.status !== target) {
      throw new DomainError('conflict', `${rule}; mailing ${id} is ${mailing.status}`);
    }
    // Also when somebody else has just made the change: its claims may still be running.
    await passGate(db);
    return mailing;
  }

  /** In chunks, so that neither locks nor a crash weigh on the whole mailing. */
  private async reopen(id: number, status: 'failed' | 'unknown'): Promise<number> {
    await assertReopenable(databaseOf(this.dataSource), id);
    let total = 0;
    let cursor: ReopenCursor | null = null;
    do {
      const after: ReopenCursor | null = cursor;
      const chunk: ReopenedChunk = await inTransaction(this.dataSource, async (session) => {
        const moved = await reopenChunk(session, id, status, after, this.reopenChunkSize);
        if (moved.reopened > 0 && !(await reopenMailingIfNotEnded(session, id))) {
          await assertReopenable(session, id);
          throw new DomainError('conflict', `Mailing ${id} has just changed; try again`);
        }
        return moved;
      });
      total += chunk.reopened;
      cursor = chunk.cursor;
    } while (cursor);
    return total;
  }
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
