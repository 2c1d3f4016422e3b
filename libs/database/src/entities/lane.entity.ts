import { Check, Column, Entity, PrimaryGeneratedColumn, UpdateDateColumn } from 'typeorm';
import { BREAKER_STATES, type BreakerState, type ChannelName, CHANNELS } from '../statuses.js';

/**
 * A channel plus a bot: what has a queue, a breaker and a limit of its own. Shared by all workers,
 * survives restarts.
 */
@Entity('lanes')
@Check('lanes_rate_positive', 'rate_per_second > 0')
export class Lane {
  @PrimaryGeneratedColumn('identity', { type: 'int', primaryKeyConstraintName: 'lanes_pkey' })
  id: number;

  /** `notification`, or `telegram-<bot id>`; also the end of the queue's name. */
  @Column('text', { unique: true })
  name: string;

  @Column('enum', { enum: CHANNELS, enumName: 'channel_name' })
  channel: ChannelName;

  @Column('enum', { enum: BREAKER_STATES, enumName: 'breaker_state', default: 'closed' })
  state: BreakerState;

  /** Grows with every change of state, so that an old outcome cannot close a breaker that has opened since. */
  @Column('bigint', { default: 0 })
  generation: number;

  /** The code of why the breaker is open: that of the outcome which opened it, or `opened_by_hand`. */
  @Column('text', { nullable: true })
  reason: string | null;

  /** The provider's words about it. */
  @Column('text', { name: 'reason_detail', nullable: true })
  reasonDetail: string | null;

  @Column('timestamptz', { name: 'opened_at', nullable: true })
  openedAt: Date | null;

  /** When the next probe may be sent; null while closed. */
  @Column('timestamptz', { name: 'probe_at', nullable: true })
  probeAt: Date | null;

  /** Probes that failed since the breaker opened; drives the interval between them. */
  @Column('int', { default: 0 })
  probes: number;

  /** The provider asked the whole lane to wait until then. */
  @Column('timestamptz', { name: 'paused_until', nullable: true })
  pausedUntil: Date | null;

  /** Messages per second over all workers; null is unlimited. */
  @Column('double precision', { name: 'rate_per_second', nullable: true })
  ratePerSecond: number | null;

  /** The first moment that no message has reserved yet. */
  @Column('timestamptz', { name: 'next_send_at', nullable: true })
  nextSendAt: Date | null;

  /** The queue's error when it last refused beat; null: it takes jobs. */
  @Column('text', { name: 'queue_trouble', nullable: true })
  queueTrouble: string | null;

  /** The provider's token as set over the API, encrypted; null: the environment's. */
  @Column('bytea', { name: 'token_encrypted', nullable: true })
  tokenEncrypted: Buffer | null;

  @UpdateDateColumn({ name: 'updated_at', type: 'timestamptz' })
  updatedAt: Date;
}
