import { Column, CreateDateColumn, Entity, Index, PrimaryColumn } from 'typeorm';

/** A request that must have its effect only once, kept for 24 h. */
@Entity('idempotency_keys')
@Index('idempotency_keys_created_at', ['createdAt'])
export class IdempotencyKey {
  /** Who asked, like `key:4`: keys of different callers are separate. */
  @PrimaryColumn('text', { primaryKeyConstraintName: 'idempotency_keys_pkey' })
  scope: string;

  /** What the request makes, like `mailing`. */
  @PrimaryColumn('text', {
    name: 'resource_kind',
    primaryKeyConstraintName: 'idempotency_keys_pkey',
  })
  resourceKind: string;

  @PrimaryColumn('text', { primaryKeyConstraintName: 'idempotency_keys_pkey' })
  key: string;

  /** SHA-256 of what it asks for: the parameters of its path, and its body. */
  @Column('bytea', { name: 'request_hash' })
  requestHash: Buffer;

  /** What the request made; null only inside the transaction that makes it. */
  @Column('bigint', { name: 'resource_id', nullable: true })
  resourceId: number | null;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;
}
