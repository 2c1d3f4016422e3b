import {
  type Check,
  type Database,
  decodeCursor,
  type MailingStatus,
  type Page,
  pageOf,
  type Queryable,
} from '@app/database';
import type { Actor, ChangeLog } from '@app/audit';
import { channelKinds } from '@app/lanes';
import { type Created, createOnce, findReplay, type IdempotentRequest } from '@app/idempotency';
import { DomainError } from '@app/platform';
import { lockCountersOf } from '@app/messages';
import { changesContent } from './mailing.fields.js';
import { changesSchedule, editMailing, type MailingChanges, orderFault } from './edit.js';
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

/** The list that its cursors belong to. */
const LIST = 'mailings';

export interface MailingListQuery {
  status?: MailingStatus;
  /** A part of the name, in any case of letters. */
  name?: string;
  limit: number;
  cursor?: string;
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
   * @throws DomainError `invalid` for impossible times; `unprocessable` for a key that was
   *   used with another body, or for a channel that has no lane.
   */
  async create(
    actor: Actor,
    mailing: NewMailing,
    request?: IdempotentRequest,
  ): Promise<Created<MailingRecord>> {
    assertCreatable(mailing);
    const insert = async (db: Queryable) => orEnded(await insertMailingIfNotEnded(db, mailing));
    const created = request
      ? await createOnce(this.database, 'mailing', request, insert, readMailing)
      : { resource: await insert(this.database.pool), replayed: false };
    if (!created.replayed) this.changes.add(actor, 'mailing.create', created.resource.id);
    return created;
  }

  /** What an earlier request with this key made, see `findReplay`. @throws DomainError */
  findReplay(request: IdempotentRequest): Promise<MailingRecord | null> {
    return findReplay(this.database, 'mailing', request, readMailing);
  }

  /** @throws DomainError `not_found` */
  async get(id: number): Promise<MailingRecord> {
    const mailing = await readMailing(this.database.pool, id);
    if (!mailing) throw noMailing(id);
    return mailing;
  }

  /** Newest first. @throws DomainError `invalid` for a cursor of another list. */
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

  /**
   * Every message that is not claimed when this resolves follows the new state.
   *
   * @throws DomainError `not_found`; `conflict` and `invalid` as `editMailing`; `unprocessable` for a
   *   channel that has no lane; whatever `check` throws.
   */
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

  /**
   * Hidden from every reader at once; nothing of it is claimed any more when this resolves.
   *
   * @throws DomainError `not_found`; whatever `check` throws.
   */
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
