import {
  type Check,
  type Database,
  decodeCursor,
  type MailingStatus,
  type Page,
  pageOf,
} from '@app/database';
import type { Actor, ChangeLog } from '@app/audit';
import { channelKinds } from '@app/lanes';
import { DomainError } from '@app/platform';
import { lockCountersOf } from '@app/messages';
import { changesContent } from './mailing.fields.js';
import { changesSchedule, editMailing, type MailingChanges, orderFault } from './edit.js';
import {
  type IdempotentRequest,
  readStoredRequest,
  type StoredRequest,
  takeKeyIfFree,
} from '../idempotency/idempotency.queries.js';
import {
  hideIfNotDeleted,
  holdFilter,
  insertMailingIfNotEnded,
  listMailings,
  lockMailing,
  type MailingRecord,
  type NewMailing,
  readMailing,
  writeLockedMailing,
} from './mailing.queries.js';

/** What its cursors are for. */
const LIST = 'mailings';

export interface MailingListQuery {
  status?: MailingStatus;
  /** A part of the name, in any case of letters. */
  name?: string;
  limit: number;
  cursor?: string;
}

export interface Created {
  mailing: MailingRecord;
  /** Whether an earlier request with the same key made it. */
  replayed: boolean;
}

/** Mailings as a resource. Sending follows by itself: beat and workers read what is written here. */
export class MailingService {
  constructor(
    private readonly database: Database,
    private readonly changes: ChangeLog,
  ) {}

  /**
   * @param request makes the creation idempotent: the same key and body answer with the mailing
   *   that the first one made.
   * @throws DomainError `invalid` for times that make no sense; `unprocessable` for a key that was
   *   used with another body, or for a channel that has no lane.
   */
  async create(actor: Actor, mailing: NewMailing, request?: IdempotentRequest): Promise<Created> {
    assertCreatable(mailing);
    if (!request) {
      const created = orEnded(await insertMailingIfNotEnded(this.database.pool, mailing, null));
      this.changes.add(actor, 'mailing.create', created.id);
      return { mailing: created, replayed: false };
    }
    const made = await this.database.transaction(async (session) => {
      const id = await takeKeyIfFree(session, request);
      return id === null ? null : orEnded(await insertMailingIfNotEnded(session, mailing, id));
    });
    if (made) {
      this.changes.add(actor, 'mailing.create', made.id);
      return { mailing: made, replayed: false };
    }
    const replayed = await this.findReplay(request);
    if (!replayed) throw new DomainError('conflict', 'The key has just run out; send it once more');
    return { mailing: replayed, replayed: true };
  }

  /**
   * The mailing that an earlier request with this key made; null when there was none.
   *
   * @throws DomainError `unprocessable` when that request had another body, `conflict` when its
   *   mailing has been deleted since.
   */
  async findReplay(request: IdempotentRequest): Promise<MailingRecord | null> {
    const db = this.database.pool;
    const stored = await readStoredRequest(db, request);
    if (!stored) return null;
    assertSameBody(request, stored);
    const mailing = await readMailing(db, stored.resourceId);
    if (mailing) return mailing;
    throw new DomainError(
      'conflict',
      `Mailing ${stored.resourceId}, which this Idempotency-Key made, has been deleted`,
    );
  }

  async get(id: number): Promise<MailingRecord> {
    const mailing = await readMailing(this.database.pool, id);
    if (!mailing) throw noMailing(id);
    return mailing;
  }

  /** Newest first. */
  async list(query: MailingListQuery): Promise<Page<MailingRecord>> {
    const [before = null] = query.cursor === undefined ? [] : decodeCursor(LIST, query.cursor, 1);
    const rows = await listMailings(this.database.pool, {
      status: query.status ?? null,
      name: query.name ?? null,
      before,
      limit: query.limit + 1,
    });
    return pageOf(LIST, rows, query.limit, (mailing) => [mailing.id]);
  }

  /** Every message that is not claimed when this resolves follows the new state. */
  async edit(
    actor: Actor,
    id: number,
    changes: MailingChanges,
    check?: Check<MailingRecord>,
  ): Promise<MailingRecord> {
    const { mailing, changed } = await this.database.transaction(async (session) => {
      if (changes.filter) await holdFilter(session);
      const locked = await lockMailing(session, id);
      if (!locked) throw noMailing(id);
      const { current, now } = locked;
      check?.(current);
      const edit = editMailing(current, changes, now);
      if (edit.changed.size === 0) return { mailing: current, changed: false };
      if (edit.changed.has('channel')) assertChannel(edit.draft.channel);
      const written = await writeLockedMailing(session, id, edit.draft, {
        content: changesContent(edit.changed),
        schedule: changesSchedule(edit),
      });
      return { mailing: written, changed: true };
    });
    if (!changed) return mailing;
    this.changes.add(actor, 'mailing.edit', id);
    await this.database.passGate();
    return mailing;
  }

  /** Gone for every reader at once; nothing of it is claimed any more when this resolves. */
  async delete(actor: Actor, id: number, check?: Check<MailingRecord>): Promise<void> {
    const hidden = check ? this.hideIf(id, check) : hideIfNotDeleted(this.database.pool, id);
    if (!(await hidden)) throw noMailing(id);
    this.changes.add(actor, 'mailing.delete', id);
    await this.database.passGate();
  }

  private hideIf(id: number, check: Check<MailingRecord>): Promise<boolean> {
    return this.database.transaction(async (session) => {
      await lockCountersOf(session, [id]); // before the mailing, as everywhere
      const locked = await lockMailing(session, id);
      if (!locked) return false;
      check(locked.current);
      return hideIfNotDeleted(session, id);
    });
  }
}

export function noMailing(id: number): DomainError {
  return new DomainError('not_found', `There is no mailing ${id}`);
}

function assertCreatable(mailing: NewMailing): void {
  const fault = mailing.startAt && orderFault(mailing.startAt, mailing.endAt);
  if (fault) throw new DomainError('invalid', 'The mailing would end before it starts', [fault]);
  assertChannel(mailing.channel);
}

function assertChannel(channel: NewMailing['channel']): void {
  if (channelKinds.has(channel)) return;
  throw new DomainError('unprocessable', 'No Telegram bot is registered', [
    { path: 'channel', message: 'needs a registered bot' },
  ]).because('no_bot');
}

function orEnded(mailing: MailingRecord | null): MailingRecord {
  if (mailing) return mailing;
  throw new DomainError('invalid', 'The mailing would have ended already', [
    { path: 'endAt', message: 'must be in the future' },
  ]);
}

function assertSameBody(request: IdempotentRequest, stored: StoredRequest): void {
  if (stored.requestHash.equals(request.requestHash)) return;
  throw new DomainError(
    'unprocessable',
    'This Idempotency-Key was used with another body in the last 24 hours',
    [{ path: 'Idempotency-Key', message: 'belongs to a request with another body' }],
  );
}
