import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

/** The sum of the counters of all finished mailings, in one row, which triggers on them keep. */
@Entity('mailing_totals')
@Check('mailing_totals_single', 'id = 1')
export class MailingTotals {
  @PrimaryColumn('int', { primaryKeyConstraintName: 'mailing_totals_pkey' })
  id: number;

  @Column('bigint', { default: 0 }) mailings: number;
  @Column('bigint', { default: 0 }) total: number;
  @Column('bigint', { default: 0 }) pending: number;
  @Column('bigint', { default: 0 }) sending: number;
  @Column('bigint', { default: 0 }) sent: number;
  @Column('bigint', { default: 0 }) failed: number;
  @Column('bigint', { default: 0 }) expired: number;
  @Column('bigint', { default: 0 }) cancelled: number;
  @Column('bigint', { default: 0 }) unknown: number;
  @Column('bigint', { default: 0 }) repeated: number;
}
