import type pg from 'pg';
import type { DataSource, EntityTarget, ObjectLiteral, Repository } from 'typeorm';
import { DomainError } from '@app/platform';
import { cancelStatements } from './cancel.js';
import { checkPool } from './check-database.js';
import { readClock } from './clock.js';
import { passGate } from './gate.js';
import { poolOf } from './queryable.js';
import { inTransaction } from './transaction.js';

/** The database as the services see it: one pool, that TypeORM shares. */
export class Database {
  constructor(protected readonly dataSource: DataSource) {}

  get isConnected(): boolean {
    return this.dataSource.isInitialized;
  }

  /** @throws what the driver throws when the database cannot be reached; may be called again. */
  async connect(): Promise<void> {
    if (!this.isConnected) await this.dataSource.initialize();
  }

  /**
   * For statements outside of a transaction.
   *
   * @throws DomainError `unavailable` before the first connection.
   */
  get pool(): pg.Pool {
    return poolOf(this.connected());
  }

  /**
   * The repository of a plain resource. Messages, counters and lanes are written by named SQL on `pool`.
   *
   * @throws DomainError `unavailable` before the first connection.
   */
  repository<Entity extends ObjectLiteral>(entity: EntityTarget<Entity>): Repository<Entity> {
    return this.connected().getRepository(entity);
  }

  /**
   * Runs `work` in one READ COMMITTED transaction on a session of its own: commits when it resolves,
   * rolls back when it rejects. Inside `work` only `session` may be used, or a full pool deadlocks.
   *
   * @throws DomainError `unavailable` before the first connection; whatever `work` throws.
   */
  async transaction<Result>(work: (session: pg.PoolClient) => Promise<Result>): Promise<Result> {
    return inTransaction(this.pool, work);
  }

  /**
   * Waits until every claim that began before this call has ended. Called after the commit of a
   * control route: from its answer on no claim that saw the old state is running.
   */
  async passGate(): Promise<void> {
    await passGate(this.pool);
  }

  /** By the database's clock. @throws DomainError `unavailable` before the first connection. */
  async now(): Promise<Date> {
    return readClock(this.pool);
  }

  /**
   * For health checks: whether the processes can work with it.
   *
   * @throws UnusableDatabase; DomainError `unavailable` before the first connection.
   */
  async check(): Promise<void> {
    await checkPool(this.pool);
  }

  /** Ends its connections. */
  async close(): Promise<void> {
    if (this.isConnected) await this.dataSource.destroy();
  }

  /** Cancels what its sessions wait for, within a second. Never fails. */
  async cancelStatements(): Promise<void> {
    await cancelStatements(poolOf(this.dataSource));
  }

  private connected(): DataSource {
    if (this.isConnected) return this.dataSource;
    throw new DomainError('unavailable', 'The database has not been reached yet');
  }
}
