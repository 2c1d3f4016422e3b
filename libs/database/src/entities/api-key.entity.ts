import { Column, CreateDateColumn, Entity, PrimaryGeneratedColumn } from 'typeorm';
import { type Role, ROLES } from '../statuses.js';

/** A key to the API. Only its hash is kept. */
@Entity('api_keys')
export class ApiKey {
  @PrimaryGeneratedColumn('identity', { type: 'int', primaryKeyConstraintName: 'api_keys_pkey' })
  id: number;

  @Column('text', { unique: true })
  name: string;

  /** SHA-256 of the key; keys are long and random, so no slow hash is needed. */
  @Column('bytea', { unique: true })
  hash: Buffer;

  @Column('enum', { enum: ROLES, enumName: 'api_role' })
  role: Role;

  @Column('timestamptz', { name: 'expires_at', nullable: true })
  expiresAt: Date | null;

  @Column('timestamptz', { name: 'revoked_at', nullable: true })
  revokedAt: Date | null;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;
}
