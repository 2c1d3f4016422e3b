import { DomainError } from '@app/platform';
import type { DataSource } from 'typeorm';
import { decodeCursor, type Page, pageOf } from '../control/cursor.js';
import { databaseOf } from '../control/transaction.js';
import {
  deleteTag,
  insertTagIfNameIsFree,
  listTags,
  readTag,
  renameTag,
  type TagRow,
} from './tags.queries.js';
import { isUniqueViolation } from './violations.js';

/** Labels on clients. Mailings name them in their filter; a filter keeps the name, not the tag. */
export class TagsService {
  constructor(private readonly dataSource: DataSource) {}

  /** @throws DomainError `conflict` when the name is taken */
  async create(name: string): Promise<TagRow> {
    const tag = await insertTagIfNameIsFree(databaseOf(this.dataSource), name);
    if (!tag) throw nameTaken(name);
    return tag;
  }

  /** @throws DomainError `not_found` */
  async get(id: number): Promise<TagRow> {
    return (await readTag(databaseOf(this.dataSource), id)) ?? notFound(id);
  }

  async list(limit: number, cursor?: string): Promise<Page<TagRow>> {
    const [after] = cursor === undefined ? [] : decodeCursor(cursor, 1);
    const rows = await listTags(databaseOf(this.dataSource), after ?? 0, limit + 1);
    return pageOf(rows, limit, (row) => [row.id]);
  }

  /** @throws DomainError `not_found`, `conflict` */
  async rename(id: number, name: string): Promise<TagRow> {
    try {
      return (await renameTag(databaseOf(this.dataSource), id, name)) ?? notFound(id);
    } catch (error) {
      throw isUniqueViolation(error) ? nameTaken(name) : error;
    }
  }

  /** Takes the tag from every client that has it. */
  async delete(id: number): Promise<void> {
    if (!(await deleteTag(databaseOf(this.dataSource), id))) notFound(id);
  }
}

function notFound(id: number): never {
  throw new DomainError('not_found', `There is no tag with id ${id}`);
}

function nameTaken(name: string): DomainError {
  return new DomainError('conflict', `There is a tag with the name "${name}"`, [
    { path: 'name', message: 'is taken' },
  ]);
}
