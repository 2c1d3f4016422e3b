import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** Messages per status, changed in the transaction of the rows it counts. `total` is their sum. */
@Entity('mailing_counters')
@Index('mailing_counters_unfinished', ['mailingId'], { where: 'NOT in_totals' })
@Check(
  'mailing_counters_add_up',
  'total = pending + sending + sent + failed + expired + cancelled + unknown',
)
@Check(
  'mailing_counters_not_negative',
  'LEAST(total, pending, sending, sent, failed, expired, cancelled, unknown, repeated, bad_attempts) >= 0',
)
export class MailingCounters {
  @PrimaryColumn('bigint', {
    name: 'mailing_id',
    primaryKeyConstraintName: 'mailing_counters_pkey',
  })
  mailingId: number;

  @Column('bigint', { default: 0 }) total: number;
  @Column('bigint', { default: 0 }) pending: number;
  @Column('bigint', { default: 0 }) sending: number;
  @Column('bigint', { default: 0 }) sent: number;
  @Column('bigint', { default: 0 }) failed: number;
  @Column('bigint', { default: 0 }) expired: number;
  @Column('bigint', { default: 0 }) cancelled: number;
  @Column('bigint', { default: 0 }) unknown: number;

  /** Those that may have reached their client twice; counted beside the statuses. */
  @Column('bigint', { default: 0 }) repeated: number;

  /** Attempts that did not deliver, without those for which the provider as a whole was not there. */
  @Column('bigint', { name: 'bad_attempts', default: 0 }) badAttempts: number;

  /** Whether `total` is final. */
  @Column('boolean', { default: false }) planned: boolean;

  /** The mailing has finished: its counts are part of `mailing_totals`. */
  @Column('boolean', { name: 'in_totals', default: false }) inTotals: boolean;

  /** With a rate: the first moment that no message has reserved yet. */
  @Column('timestamptz', { name: 'next_send_at', nullable: true })
  nextSendAt: Date | null;
}
