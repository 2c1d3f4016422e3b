import { Column, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';
import { ATTEMPT_OUTCOMES, type AttemptOutcome } from '../statuses.js';

/** An attempt that did not end in `sent`. */
@Entity('delivery_attempts')
@Index('delivery_attempts_message_id', ['messageId'])
export class DeliveryAttempt {
  @PrimaryGeneratedColumn('identity', {
    type: 'bigint',
    primaryKeyConstraintName: 'delivery_attempts_pkey',
  })
  id: number;

  @Column('bigint', { name: 'message_id' })
  messageId: number;

  /** The message's attempt number. */
  @Column('int')
  attempt: number;

  @Column('timestamptz', { name: 'at' })
  at: Date;

  @Column('int', { name: 'duration_ms', nullable: true })
  durationMs: number | null;

  @Column('enum', { enum: ATTEMPT_OUTCOMES, enumName: 'attempt_outcome' })
  outcome: AttemptOutcome;

  @Column('int', { name: 'http_status', nullable: true })
  httpStatus: number | null;

  @Column('text', { name: 'error_code' })
  errorCode: string;

  @Column('text', { nullable: true })
  error: string | null;

  @Column('int', { name: 'content_version', nullable: true })
  contentVersion: number | null;

  /** Up to 1 KB of the provider's answer. */
  @Column('text', { nullable: true })
  excerpt: string | null;
}
