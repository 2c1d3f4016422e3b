import { Column, Entity, PrimaryColumn } from 'typeorm';

/** How often attempts of a mailing ended for one reason on one day (UTC). */
@Entity('mailing_errors')
export class MailingError {
  @PrimaryColumn('bigint', { name: 'mailing_id', primaryKeyConstraintName: 'mailing_errors_pkey' })
  mailingId: number;

  @PrimaryColumn('date', { primaryKeyConstraintName: 'mailing_errors_pkey' })
  day: string;

  @PrimaryColumn('text', { primaryKeyConstraintName: 'mailing_errors_pkey' })
  code: string;

  @Column('bigint', { default: 0 }) attempts: number;

  /** The provider's words, of the latest. */
  @Column('text', { nullable: true }) detail: string | null;

  @Column('timestamptz', { name: 'last_at' }) lastAt: Date;
}
