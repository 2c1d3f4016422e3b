import { Check, Column, Entity, Index, PrimaryGeneratedColumn, Unique } from 'typeorm';
import { MESSAGE_STATUSES, type MessageStatus } from '../statuses.js';

/**
 * One row per (mailing, client), for ever the same id, which is the provider's `msgId`. No foreign
 * key to clients: the history of a deleted client stays.
 */
@Entity('messages')
@Unique('messages_mailing_id_client_id_key', ['mailingId', 'clientId'])
@Index('messages_due', ['mailingId', 'status', 'zoneId', 'notBefore', 'id'])
@Index('messages_repeated', ['mailingId', 'status', 'id'], { where: 'repeated' })
@Check('messages_lease_while_sending', `(status = 'sending') = (lease_until IS NOT NULL)`)
@Check('messages_sent_at_when_sent', `(status = 'sent') = (sent_at IS NOT NULL)`)
@Check(
  'messages_attempted',
  `attempts > 0 OR status NOT IN ('sending', 'sent', 'failed', 'unknown')`,
)
@Check('messages_tries_within_attempts', 'tries BETWEEN 0 AND attempts')
@Check(
  'messages_unconfirmed_never_final',
  `NOT unconfirmed OR status NOT IN ('sent', 'failed', 'expired', 'cancelled')`,
)
export class Message {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', primaryKeyConstraintName: 'messages_pkey' })
  id: number;

  @Column('bigint', { name: 'mailing_id' })
  mailingId: number;

  @Column('bigint', { name: 'client_id' })
  clientId: number;

  /** When it was planned. */
  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt: Date;

  /** The client's zone when the message was planned. */
  @Column('int', { name: 'zone_id' })
  zoneId: number;

  @Column('enum', { enum: MESSAGE_STATUSES, enumName: 'message_status', default: 'pending' })
  status: MessageStatus;

  /** Not to be claimed before; `-infinity` until the first retry. */
  @Column('timestamptz', { name: 'not_before', default: '-infinity' })
  notBefore: Date;

  /** Claims so far. Only ever grows: it is the fence that refuses the outcome of an old attempt. */
  @Column('int', { default: 0 })
  attempts: number;

  /** Attempts that the provider may have seen; drives backoff and limits. */
  @Column('int', { default: 0 })
  tries: number;

  @Column('timestamptz', { name: 'lease_until', nullable: true })
  leaseUntil: Date | null;

  /** Marks the claim statement that took the row, to find it again when the answer got lost. */
  @Column('bigint', { name: 'claim_id', nullable: true })
  claimId: number | null;

  @Column('timestamptz', { name: 'sent_at', nullable: true })
  sentAt: Date | null;

  /** Of the call that delivered, ms. */
  @Column('int', { name: 'latency_ms', nullable: true })
  latencyMs: number | null;

  /** Version of the content that the last attempt carried. */
  @Column('int', { name: 'content_version', nullable: true })
  contentVersion: number | null;

  /** An attempt ended without a readable answer and nothing has confirmed the message since. */
  @Column('boolean', { default: false })
  unconfirmed: boolean;

  /** It may have reached its client twice; stays true, also after a confirmation. */
  @Column('boolean', { default: false })
  repeated: boolean;

  /**
   * Where the last attempt went. A repetition of an unconfirmed one goes to the same number; taken
   * away when the client is deleted.
   */
  @Column('text', { nullable: true })
  address: string | null;

  @Column('text', { name: 'last_error_code', nullable: true })
  lastErrorCode: string | null;

  @Column('text', { name: 'last_error', nullable: true })
  lastError: string | null;
}
