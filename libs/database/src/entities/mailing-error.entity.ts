import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** How often attempts of a mailing ended for one reason in one hour. */
@Entity('mailing_errors')
@Index('mailing_errors_hour', ['hour'])
export class MailingError {
  @PrimaryColumn('bigint', { name: 'mailing_id', primaryKeyConstraintName: 'mailing_errors_pkey' })
  mailingId: number;

  @PrimaryColumn('timestamptz', { primaryKeyConstraintName: 'mailing_errors_pkey' })
  hour: Date;

  @PrimaryColumn('text', { primaryKeyConstraintName: 'mailing_errors_pkey' })
  code: string;

  @Column('bigint', { default: 0 }) attempts: number;

  /** The provider's words, of the latest. */
  @Column('text', { nullable: true }) detail: string | null;

  @Column('timestamptz', { name: 'last_at' }) lastAt: Date;
}
