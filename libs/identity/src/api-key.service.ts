import type { Actor, ChangeLog } from '@app/audit';
import { ApiKey, type Database, decodeCursor, type Page, pageOf, type Role } from '@app/database';
import { DomainError } from '@app/platform';
import { Raw } from 'typeorm';
import { hashOfKey, makeKey } from './api-key.js';
import type { ApiKeyLookup } from './api-key-lookup.js';
import {
  BOOTSTRAP,
  type BootstrapResult,
  hasUsableAdminKey,
  revokeKey,
  setBootstrapKey,
} from './api-key.queries.js';

/** What its cursors are for. */
const LIST = 'tokens';

/** A cursor may name any number; the column's own type would not take them all. */
const isBelow = (id: string) => `${id} < :before::bigint`;

export interface NewKey {
  name: string;
  role: Role;
  /** Null: never. */
  expiresAt: Date | null;
}

export interface Bootstrapped {
  /** What became of the key of the environment; null when it has none. */
  key: BootstrapResult | null;
  /** Whether any key works that may make others. */
  hasAdminKey: boolean;
}

/** Makes, lists and revokes API keys. The key itself leaves here once and is never stored. */
export class ApiKeyService {
  constructor(
    private readonly database: Database,
    private readonly lookup: ApiKeyLookup,
    private readonly changes: ChangeLog,
  ) {}

  /**
   * @throws DomainError `invalid` when it would be expired from the start, `conflict` when the name
   *   is taken, by a revoked key too.
   */
  async create(actor: Actor, wanted: NewKey): Promise<{ key: string; stored: ApiKey }> {
    if (wanted.expiresAt && wanted.expiresAt <= (await this.database.now())) {
      throw new DomainError('invalid', 'The key would be expired from the start', [
        { path: 'expiresAt', message: 'must be in the future' },
      ]);
    }
    const key = makeKey();
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
      ]).because('name_taken');
    }
    this.changes.add(actor, 'api_key.create', row.id);
    return { key, stored: await this.repository().findOneByOrFail({ id: row.id }) };
  }

  /** Newest first. @throws DomainError `invalid` for a cursor of another list. */
  async list(limit: number, cursor?: string): Promise<Page<ApiKey>> {
    const [before] = cursor === undefined ? [] : decodeCursor(LIST, cursor, 1);
    const rows = await this.repository().find({
      where: typeof before === 'number' ? { id: Raw(isBelow, { before }) } : {},
      order: { id: 'DESC' },
      take: limit + 1,
    });
    return pageOf(LIST, rows, limit, (row) => [row.id]);
  }

  /**
   * The key stays in the list, as revoked. Here it stops at once, in other processes in seconds.
   *
   * @throws DomainError `not_found`
   */
  async revoke(actor: Actor, id: number): Promise<void> {
    const found = await revokeKey(this.database.pool, id);
    this.lookup.forget();
    if (!found) throw new DomainError('not_found', `There is no API key with id ${id}`);
    this.changes.add(actor, 'api_key.revoke', id);
  }

  /**
   * Makes the key of the environment the one that counts. Revoked by hand a key stays so, whatever
   * the environment says.
   */
  async bootstrap(actor: Actor, key: string | undefined): Promise<Bootstrapped> {
    const hash = key === undefined ? null : hashOfKey(key);
    const { result, changed } = await this.database.transaction((session) =>
      setBootstrapKey(session, hash),
    );
    this.lookup.forget();
    if (changed) this.changes.add(actor, 'api_key.bootstrap', BOOTSTRAP);
    return { key: result, hasAdminKey: await hasUsableAdminKey(this.database.pool) };
  }

  private repository() {
    return this.database.repository(ApiKey);
  }
}
