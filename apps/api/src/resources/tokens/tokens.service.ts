import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Raw } from 'typeorm';
import { ApiKey, Database, decodeCursor, type Page, pageOf, type Role } from '@app/database';
import { DomainError } from '@app/platform';
import { revokeKey } from '../../http/auth/api-keys.queries.js';
import { ApiKeys, hashOfKey } from '../../http/auth/api-keys.js';

/** What its cursors are for. */
const LIST = 'tokens';

/** A cursor may name any number; the column's own type would not take them all. */
const isBelow = (id: string) => `${id} < :before::bigint`;

export interface NewKey {
  name: string;
  role: Role;
  expiresAt: Date | null;
}

/** Keeps the API keys. The key itself leaves here once and is never stored. */
@Injectable()
export class TokensService {
  constructor(
    private readonly database: Database,
    private readonly keys: ApiKeys,
  ) {}

  /** @throws DomainError `conflict` when the name is taken, by a revoked key too */
  async create(wanted: NewKey): Promise<{ key: string; stored: ApiKey }> {
    if (wanted.expiresAt && wanted.expiresAt.getTime() <= Date.now()) {
      throw new DomainError('invalid', 'The key would be expired from the start', [
        { path: 'expiresAt', message: 'must be in the future' },
      ]);
    }
    const key = `ph_${randomBytes(32).toString('base64url')}`;
    const inserted = await this.repository()
      .createQueryBuilder()
      .insert()
      .values({ ...wanted, hash: hashOfKey(key) })
      .orIgnore()
      .returning('id')
      .execute();
    const [row] = inserted.raw as { id: number }[];
    if (!row) {
      throw new DomainError('conflict', `There is a key with the name "${wanted.name}"`, [
        { path: 'name', message: 'is taken' },
      ]);
    }
    return { key, stored: await this.repository().findOneByOrFail({ id: row.id }) };
  }

  /** Newest first. */
  async list(limit: number, cursor?: string): Promise<Page<ApiKey>> {
    const [before] = cursor === undefined ? [] : decodeCursor(LIST, cursor, 1);
    const rows = await this.repository().find({
      where: typeof before === 'number' ? { id: Raw(isBelow, { before }) } : {},
      order: { id: 'DESC' },
      take: limit + 1,
    });
    return pageOf(LIST, rows, limit, (row) => [row.id]);
  }

  /** The key stays in the list, as revoked. Here it stops at once, in other processes in seconds. */
  async revoke(id: number): Promise<void> {
    const found = await revokeKey(this.database.pool, id);
    this.keys.forget();
    if (!found) throw new DomainError('not_found', `There is no API key with id ${id}`);
  }

  private repository() {
    return this.database.repository(ApiKey);
  }
}
