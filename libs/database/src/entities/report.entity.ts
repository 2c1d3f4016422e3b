import { Check, Column, CreateDateColumn, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';
import {
  REPORT_KINDS,
  REPORT_STATUSES,
  REPORT_TRANSPORTS,
  type ReportKind,
  type ReportStatus,
  type ReportTransport,
} from '../statuses.js';

/** A report or an alert on one transport: its content, its recipients and its outcome. */
@Entity('reports')
@Index('reports_once', ['kind', 'key', 'transport'], { unique: true, where: 'NOT requested' })
@Index('reports_open', ['transport', 'notBefore'], {
  where: `status IN ('pending', 'sending')`,
})
@Index('reports_date', ['date', 'id'])
@Index('reports_kind', ['kind', 'id'])
@Index('reports_requested', ['createdAt'], { where: 'requested' })
@Check('reports_sent_at_when_sent', `(status = 'sent') = (sent_at IS NOT NULL)`)
@Check('reports_content_before_sending', `content IS NOT NULL OR status IN ('pending', 'failed')`)
@Check('reports_attempted', `attempts > 0 OR status NOT IN ('sending', 'sent')`)
@Check('reports_date_of_daily', `(kind = 'daily') = (date IS NOT NULL)`)
export class Report {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', primaryKeyConstraintName: 'reports_pkey' })
  id: number;

  @Column('enum', { enum: REPORT_KINDS, enumName: 'report_kind' })
  kind: ReportKind;

  /** What it is about, unique per kind and transport: `2030-01-31`, `42@<when it finished, ms>` … */
  @Column('text')
  key: string;

  @Column('enum', { enum: REPORT_TRANSPORTS, enumName: 'report_transport' })
  transport: ReportTransport;

  /** Somebody asked for it; otherwise it is the one that comes by itself. */
  @Column('boolean', { default: false })
  requested: boolean;

  /** Of a daily report: the day on which it is due, in the server's timezone. */
  @Column('date', { nullable: true })
  date: string | null;

  @Column('bigint', { name: 'mailing_id', nullable: true })
  mailingId: number | null;

  /** What a daily report covers: `[from, to)`. */
  @Column('timestamptz', { name: 'period_from', nullable: true })
  periodFrom: Date | null;

  @Column('timestamptz', { name: 'period_to', nullable: true })
  periodTo: Date | null;

  /** The same for every attempt, so that a mail server can recognise a second one. */
  @Column('uuid', { name: 'message_id' })
  messageId: string;

  /** Its content, fixed when it was written; null before. */
  @Column('jsonb', { nullable: true })
  content: object | null;

  /** CSV. */
  @Column('text', { nullable: true })
  attachment: string | null;

  @Column('text', { array: true, default: [] })
  recipients: string[];

  /** Recipients whose server accepted it. */
  @Column('text', { array: true, default: [] })
  accepted: string[];

  /** Recipients whose server refused it for good, with its words. */
  @Column('jsonb', { default: [] })
  refused: { recipient: string; answer: string }[];

  @Column('enum', { enum: REPORT_STATUSES, enumName: 'report_status', default: 'pending' })
  status: ReportStatus;

  @Column('int', { default: 0 })
  attempts: number;

  @Column('timestamptz', { name: 'not_before' })
  notBefore: Date;

  /** No attempt begins after it. */
  @Column('timestamptz', { name: 'give_up_at' })
  giveUpAt: Date;

  /** When the latest attempt began to hand over the content: from here on it may have arrived. */
  @Column('timestamptz', { name: 'handed_over_at', nullable: true })
  handedOverAt: Date | null;

  /** An attempt ended between the hand-over and its record: it may have arrived twice. */
  @Column('boolean', { name: 'possible_duplicate', default: false })
  possibleDuplicate: boolean;

  @Column('timestamptz', { name: 'sent_at', nullable: true })
  sentAt: Date | null;

  /** The server's answer to the latest attempt. */
  @Column('text', { nullable: true })
  answer: string | null;

  /** The code of `error`. */
  @Column('text', { name: 'error_code', nullable: true })
  errorCode: string | null;

  /** Why the latest attempt did not succeed, or why none is made. */
  @Column('text', { nullable: true })
  error: string | null;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;
}
