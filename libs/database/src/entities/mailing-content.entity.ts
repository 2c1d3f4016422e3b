import { Check, Column, CreateDateColumn, Entity, PrimaryColumn } from 'typeorm';

/** Every version of a mailing's content: a repeated attempt sends the content of the first. */
@Entity('mailing_contents')
@Check('mailing_contents_object', `jsonb_typeof(content) = 'object'`)
export class MailingContent {
  @PrimaryColumn('bigint', {
    name: 'mailing_id',
    primaryKeyConstraintName: 'mailing_contents_pkey',
  })
  mailingId: number;

  @PrimaryColumn('int', { primaryKeyConstraintName: 'mailing_contents_pkey' })
  version: number;

  /** By the schema of the mailing's channel. */
  @Column('jsonb')
  content: Record<string, unknown>;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;
}
