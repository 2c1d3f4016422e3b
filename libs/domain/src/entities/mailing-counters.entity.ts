import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

/** Messages per status, changed in the transaction of the rows it counts. Always adds up. */
@Entity('mailing_counters')
@Check(
  'mailing_counters_add_up',
  'total = pending + sending + sent + failed + expired + cancelled + unknown',
)
@Check(
  'mailing_counters_not_negative',
  'LEAST(total, pending, sending, sent, failed, expired, cancelled, unknown) >= 0',
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

  /** Whether `total` is final. */
  @Column('boolean', { default: false }) planned: boolean;

  /** With a rate: the first moment that no message has reserved yet. */
  @Column('timestamptz', { name: 'next_send_at', nullable: true })
  nextSendAt: Date | null;
}
