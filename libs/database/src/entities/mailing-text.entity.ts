import { Column, CreateDateColumn, Entity, PrimaryColumn } from 'typeorm';

/** Every version of a mailing's text: a repeated attempt sends the very text of the first. */
@Entity('mailing_texts')
export class MailingText {
  @PrimaryColumn('bigint', { name: 'mailing_id', primaryKeyConstraintName: 'mailing_texts_pkey' })
  mailingId: number;

  @PrimaryColumn('int', { primaryKeyConstraintName: 'mailing_texts_pkey' })
  version: number;

  @Column('text')
  text: string;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;
}
