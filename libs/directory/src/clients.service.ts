import type { Actor, ChangeLog } from '@app/audit';
import { type Created, createOnce, findReplay, type IdempotentRequest } from '@app/idempotency';
import { DomainError } from '@app/platform';
import {
  type Check,
  type Database,
  decodeCursor,
  isForeignKeyViolation,
  isUniqueViolation,
  isUnknownTimezone,
  type Page,
  pageOf,
  type Queryable,
} from '@app/database';
import {
  closeLockedMessagesOfClient,
  forgetAddressesOfClient,
  lockOpenMessagesOfClient,
} from '@app/messages';
import {
  clientExists,
  type ClientFilter,
  type ClientMessageRow,
  type ClientRow,
  type ClientValues,
  deleteLockedClient,
  insertClientIfTagsExist,
  listClientMessages,
  listClients,
  lockClient,
  readClient,
  writeLockedClient,
} from './clients.queries.js';
import { insertMissingTags } from './tags.queries.js';

/** What a caller says about a client; the rest follows from the phone and the server. */
export interface ClientDraft {
  /** `7XXXXXXXXXX`. */
  phone: string;
  /** Left out: digits 2 to 4 of the phone. */
  operatorCode?: string;
  /** By its canonical name; left out: the server's. */
  timezone?: string;
  /** Names; unknown ones are made. */
  tags?: string[];
}

/** A tag that is deleted while it is used is created again; a second time is no accident. */
const TRIES = 3;

/** The directory of those who can receive messages. */
export class ClientsService {
  constructor(
    private readonly database: Database,
    private readonly changes: ChangeLog,
    private readonly serverTimezone: string,
  ) {}

  /**
   * @param request makes the creation idempotent
   * @throws DomainError `conflict` when the phone is taken, `invalid` for an unknown timezone; for a
   *   request what `createOnce` throws
   */
  async create(
    actor: Actor,
    draft: ClientDraft,
    request?: IdempotentRequest,
  ): Promise<Created<ClientRow>> {
    const values = this.complete(draft);
    const insert = (session: Queryable) => insertWithTags(session, values);
    const created = await retryIfTagWasDeleted(async () =>
      request
        ? createOnce(this.database, 'client', request, insert, readClient)
        : { resource: await this.insert(values), replayed: false },
    );
    if (!created.replayed) this.changes.add(actor, 'client.create', created.resource.id);
    return created;
  }

  /** What an earlier request with this key made, see `findReplay`. @throws DomainError */
  findReplay(request: IdempotentRequest): Promise<ClientRow | null> {
    return findReplay(this.database, 'client', request, readClient);
  }

  /** @throws DomainError `not_found` */
  /** @throws DomainError `not_found` */
  async get(id: number): Promise<ClientRow> {
    return (await readClient(this.database.pool, id)) ?? notFound(id);
  }

  /** In order of id. @throws DomainError `invalid` for a cursor of another list. */
  async list(filter: ClientFilter, limit: number, cursor?: string): Promise<Page<ClientRow>> {
    const [after] = cursor === undefined ? [] : decodeCursor('clients', cursor, 1);
    const db = this.database.pool;
    const rows = await listClients(db, filter, after ?? 0, limit + 1);
    return pageOf('clients', rows, limit, (row) => [row.id]);
  }

  /** All of it is as the draft says, what the draft leaves out is as for a new client. */
  async replace(
    actor: Actor,
    id: number,
    draft: ClientDraft,
    check?: Check<ClientRow>,
  ): Promise<ClientRow> {
    const values = this.complete(draft);
    const client = await this.write(id, () => values, check);
    this.changes.add(actor, 'client.replace', id);
    return client;
  }

  /** Only what is named changes. */
  async change(
    actor: Actor,
    id: number,
    changes: Partial<ClientDraft>,
    check?: Check<ClientRow>,
  ): Promise<ClientRow> {
    const next = (current: ClientRow) => this.complete({ ...current, ...changes });
    const client = await this.write(id, next, check);
    this.changes.add(actor, 'client.change', id);
    return client;
  }

  /**
   * Nothing is sent to the client any more once this resolves, except what was already under way.
   * Its history stays, without the phone.
   *
   * @throws DomainError `not_found`; whatever `check` throws.
   */
  async delete(actor: Actor, id: number, check?: Check<ClientRow>): Promise<void> {
    await this.database.transaction(async (session) => {
      const client = (await lockClient(session, id)) ?? notFound(id);
      check?.(client);
      const open = await lockOpenMessagesOfClient(session, id);
      if (open.length > 0) {
        await closeLockedMessagesOfClient(session, open);
      }
      await deleteLockedClient(session, id);
    });
    this.changes.add(actor, 'client.delete', id);
    await this.database.passGate();
    // A message that was planned during all this may have been claimed by one who still saw the client.
    await forgetAddressesOfClient(this.database.pool, id);
  }

  /**
   * This client's messages, newest mailing first.
   *
   * @throws DomainError `not_found`, `invalid` for a cursor of another list.
   */
  async messages(id: number, limit: number, cursor?: string): Promise<Page<ClientMessageRow>> {
    const list = `clients/${id}/messages`;
    const [before] = cursor === undefined ? [] : decodeCursor(list, cursor, 1);
    const db = this.database.pool;
    if (!(await clientExists(db, id))) notFound(id);
    const rows = await listClientMessages(db, id, before ?? Number.MAX_SAFE_INTEGER, limit + 1);
    return pageOf(list, rows, limit, (row) => [row.mailingId]);
  }

  private complete({ phone, operatorCode, timezone, tags }: ClientDraft): ClientValues {
    return {
      phone,
      operatorCode: operatorCode ?? phone.slice(1, 4),
      timezone: timezone ?? this.serverTimezone,
      tags: [...new Set(tags)].sort(byCodePoint),
    };
  }

  /** One statement where all tags exist, which is the rule; else they and the client come together. */
  private async insert(values: ClientValues): Promise<ClientRow> {
    const inserted = await insertClientIfTagsExist(this.database.pool, values);
    if (inserted === 'phone_taken') throw phoneTaken();
    if (inserted !== 'tag_unknown') return { id: inserted.id, ...values };
    return this.database.transaction((session) => insertWithTags(session, values));
  }

  private async write(
    id: number,
    next: (current: ClientRow) => ClientValues,
    check?: Check<ClientRow>,
  ): Promise<ClientRow> {
    return retryIfTagWasDeleted(() =>
      this.database.transaction(async (session) => {
        const current = (await lockClient(session, id)) ?? notFound(id);
        check?.(current);
        const client = { id, ...next(current) };
        await insertMissingTags(session, client.tags);
        await writeLockedClient(session, client);
        return client;
      }),
    );
  }
}

/** In a transaction, so that the tags of a client that cannot be are not made either. */
async function insertWithTags(session: Queryable, values: ClientValues): Promise<ClientRow> {
  await insertMissingTags(session, values.tags);
  const inserted = await insertClientIfTagsExist(session, values);
  if (inserted === 'phone_taken') throw phoneTaken();
  if (inserted === 'tag_unknown') throw tagWent();
  return { id: inserted.id, ...values };
}

/** As the database orders names. */
function byCodePoint(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}

async function retryIfTagWasDeleted<Result>(work: () => Promise<Result>): Promise<Result> {
  for (let tries = 1; ; tries++) {
    try {
      return await work();
    } catch (error) {
      if (isUniqueViolation(error)) throw phoneTaken();
      if (isUnknownTimezone(error)) throw unknownTimezone();
      if (!isForeignKeyViolation(error) || tries === TRIES) throw error;
    }
  }
}

function notFound(id: number): never {
  throw new DomainError('not_found', `There is no client with id ${id}`);
}

function phoneTaken(): DomainError {
  return new DomainError('conflict', 'There is a client with this phone', [
    { path: 'phone', message: 'belongs to another client' },
  ]).because('phone_taken');
}

function unknownTimezone(): DomainError {
  return new DomainError('invalid', '1 field is invalid: timezone', [
    { path: 'timezone', message: 'must be an IANA timezone, e.g. Europe/Moscow' },
  ]);
}

function tagWent(): DomainError {
  return new DomainError('conflict', 'A tag was deleted while it was used; try again').because(
    'changed_meanwhile',
  );
}
