import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/**
 * By how much the counters of a mailing changed in one minute; less than zero where something was
 * taken back. A trigger on the counters writes it and nobody else. Throughput, forecast, daily
 * statistics and the error rate read it instead of the messages.
 */
@Entity('mailing_activity')
@Index('mailing_activity_minute', ['minute'])
export class MailingActivity {
  @PrimaryColumn('bigint', {
    name: 'mailing_id',
    primaryKeyConstraintName: 'mailing_activity_pkey',
  })
  mailingId: number;

  @PrimaryColumn('timestamptz', { primaryKeyConstraintName: 'mailing_activity_pkey' })
  minute: Date;

  @Column('int', { default: 0 }) pending: number;
  @Column('int', { default: 0 }) sending: number;
  @Column('int', { default: 0 }) sent: number;
  @Column('int', { default: 0 }) failed: number;
  @Column('int', { default: 0 }) expired: number;
  @Column('int', { default: 0 }) cancelled: number;
  @Column('int', { default: 0 }) unknown: number;

  /** Attempts that did not deliver, without those for which the provider as a whole was not there. */
  @Column('int', { name: 'bad_attempts', default: 0 }) badAttempts: number;
}
