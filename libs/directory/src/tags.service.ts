import type { Actor, ChangeLog } from '@app/audit';
import { type Created, createOnce, findReplay, type IdempotentRequest } from '@app/idempotency';
import { DomainError } from '@app/platform';
import {
  type Check,
  type Database,
  decodeCursor,
  isUniqueViolation,
  type Page,
  pageOf,
  type Queryable,
} from '@app/database';
import {
  deleteHeldTag,
  findMailingsWaitingForTag,
  holdTagNames,
  insertTagIfNameIsFree,
  listTags,
  readTag,
  renameHeldTag,
  renameTagInWaitingMailings,
  type TagRow,
} from './tags.queries.js';

/** What its cursors are for. */
const LIST = 'tags';

/** Users of a tag that a refusal names. */
const MOST_USERS = 100;

/**
 * Labels on clients. Mailings name them in their filter, and find their audience by the name: until
 * that is done the names in filters follow the tags.
 */
export class TagsService {
  constructor(
    private readonly database: Database,
    private readonly changes: ChangeLog,
  ) {}

  /**
   * @param request makes the creation idempotent
   * @throws DomainError `conflict` when the name is taken; for a request what `createOnce` throws
   */
  async create(actor: Actor, name: string, request?: IdempotentRequest): Promise<Created<TagRow>> {
    const insert = async (db: Queryable) => {
      const tag = await insertTagIfNameIsFree(db, name);
      if (!tag) throw nameTaken(name);
      return tag;
    };
    const created = request
      ? await createOnce(this.database, 'tag', request, insert, readTag)
      : { resource: await insert(this.database.pool), replayed: false };
    if (!created.replayed) this.changes.add(actor, 'tag.create', created.resource.id);
    return created;
  }

  /** What an earlier request with this key made, see `findReplay`. @throws DomainError */
  findReplay(request: IdempotentRequest): Promise<TagRow | null> {
    return findReplay(this.database, 'tag', request, readTag);
  }

  /** @throws DomainError `not_found` */
  /** @throws DomainError `not_found` */
  async get(id: number): Promise<TagRow> {
    return (await readTag(this.database.pool, id)) ?? notFound(id);
  }

  /** In order of id. @throws DomainError `invalid` for a cursor of another list. */
  async list(limit: number, cursor?: string): Promise<Page<TagRow>> {
    const [after] = cursor === undefined ? [] : decodeCursor(LIST, cursor, 1);
    const rows = await listTags(this.database.pool, after ?? 0, limit + 1);
    return pageOf(LIST, rows, limit, (row) => [row.id]);
  }

  /**
   * On every client that has it, and in the filter of every mailing that still looks for its audience.
   *
   * @throws DomainError `not_found`, `conflict`
   */
  async rename(actor: Actor, id: number, name: string, check?: Check<TagRow>): Promise<TagRow> {
    const { tag, changed } = await this.database
      .transaction(async (session) => {
        await holdTagNames(session);
        const tag = (await readTag(session, id)) ?? notFound(id);
        check?.(tag);
        if (tag.name === name) return { tag, changed: false };
        await renameHeldTag(session, id, name);
        await renameTagInWaitingMailings(session, tag.name, name);
        return { tag: { id, name }, changed: true };
      })
      .catch((error: unknown) => {
        throw isUniqueViolation(error) ? nameTaken(name) : error;
      });
    if (changed) this.changes.add(actor, 'tag.rename', id);
    return tag;
  }

  /**
   * Takes the tag from every client that has it.
   *
   * @throws DomainError `not_found`; `conflict` that names the mailings which still look for their
   *   audience by it.
   */
  async delete(actor: Actor, id: number, check?: Check<TagRow>): Promise<void> {
    await this.database.transaction(async (session) => {
      await holdTagNames(session);
      const tag = (await readTag(session, id)) ?? notFound(id);
      check?.(tag);
      const users = await findMailingsWaitingForTag(session, tag.name, MOST_USERS);
      if (users.length > 0) throw inUse(tag.name, users);
      await deleteHeldTag(session, id);
    });
    this.changes.add(actor, 'tag.delete', id);
  }
}

function notFound(id: number): never {
  throw new DomainError('not_found', `There is no tag with id ${id}`);
}

function nameTaken(name: string): DomainError {
  return new DomainError('conflict', `There is a tag with the name "${name}"`, [
    { path: 'name', message: 'is taken' },
  ]).because('name_taken');
}

function inUse(tag: string, users: { id: number; name: string }[]): DomainError {
  const ids = users.map((mailing) => mailing.id).join(', ');
  return new DomainError(
    'conflict',
    `The tag "${tag}" is in the filter of mailings that have yet to find their audience: ${ids}`,
    users.map((mailing) => ({
      path: 'id',
      message: `is used by mailing ${mailing.id}, "${mailing.name}"`,
    })),
  ).because('tag_in_use', { mailings: users.map(({ id }) => id) });
}
