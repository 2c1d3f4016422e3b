import {
  Check,
  Column,
  CreateDateColumn,
  Entity,
  Index,
  JoinColumn,
  ManyToOne,
  PrimaryGeneratedColumn,
  type Relation,
  UpdateDateColumn,
} from 'typeorm';
import { CHANNELS, type ChannelName, MAILING_STATUSES, type MailingStatus } from '../statuses.js';
import { Lane } from './lane.entity.js';

/** Whom a mailing is for: inside a list OR, between lists AND, an empty list is everyone. */
export interface AudienceFilter {
  operatorCodes: string[];
  tags: string[];
  phones: string[];
}

@Entity('mailings')
@Check('mailings_end_after_start', 'end_at > start_at')
@Check('mailings_rate_positive', 'rate_per_second > 0')
@Check('mailings_max_tries_positive', 'max_tries > 0')
@Check(
  'mailings_window_whole',
  '(window_from IS NULL) = (window_to IS NULL) AND (window_from IS NULL) = (window_timezone IS NULL)',
)
@Index('mailings_unfinished', ['id'], { where: 'finished_at IS NULL AND deleted_at IS NULL' })
@Index('mailings_listed', { synchronize: false }) // with name and status included
@Index('mailings_deleted', ['id'], { where: 'deleted_at IS NOT NULL' })
@Index('mailings_finished_at', ['finishedAt'])
@Index('mailings_unreported', ['id'], {
  where: 'finished_at IS NOT NULL AND finished_at IS DISTINCT FROM reported_at',
})
export class Mailing {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', primaryKeyConstraintName: 'mailings_pkey' })
  id: number;

  @Column('text')
  name: string;

  @Column('enum', { enum: CHANNELS, enumName: 'channel_name' })
  channel: ChannelName;

  @Column('int', { name: 'lane_id' })
  laneId: number;

  @ManyToOne(() => Lane)
  @JoinColumn({ name: 'lane_id', foreignKeyConstraintName: 'mailings_lane_id_fkey' })
  lane?: Relation<Lane>;

  /** What the next claim sends: all contents that it has had are in `mailing_contents`. */
  @Column('int', { name: 'content_version', default: 1 })
  contentVersion: number;

  @Column('jsonb')
  filter: AudienceFilter;

  @Column('timestamptz', { name: 'start_at' })
  startAt: Date;

  @Column('timestamptz', { name: 'end_at' })
  endAt: Date;

  /** `HH:MM` local time; all three are set or none. */
  @Column('text', { name: 'window_from', nullable: true })
  windowFrom: string | null;

  @Column('text', { name: 'window_to', nullable: true })
  windowTo: string | null;

  /** `client` (each client's own zone) or an IANA name. */
  @Column('text', { name: 'window_timezone', nullable: true })
  windowTimezone: string | null;

  /** Grows with every change of start, end or window: slots computed from an older one are not stored. */
  @Column('int', { name: 'schedule_version', default: 1 })
  scheduleVersion: number;

  @Column('double precision', { name: 'rate_per_second', nullable: true })
  ratePerSecond: number | null;

  /** Tries per message before it fails; null: until the end. */
  @Column('int', { name: 'max_tries', nullable: true })
  maxTries: number | null;

  @Column('enum', { enum: MAILING_STATUSES, enumName: 'mailing_status', default: 'scheduled' })
  status: MailingStatus;

  /** Clients up to this id have their row. */
  @Column('bigint', { name: 'plan_cursor', default: 0 })
  planCursor: number;

  /** The highest client id when planning began: the frozen audience. Null before. */
  @Column('bigint', { name: 'plan_max_client_id', nullable: true })
  planMaxClientId: number | null;

  /** When it ended or was cancelled: from here on nothing is claimed. */
  @Column('timestamptz', { name: 'ended_at', nullable: true })
  endedAt: Date | null;

  /** When its last message reached a final status. */
  @Column('timestamptz', { name: 'finished_at', nullable: true })
  finishedAt: Date | null;

  /** Who gets its completion report besides `REPORT_RECIPIENTS`. */
  @Column('text', { name: 'report_to', array: true, default: [] })
  reportTo: string[];

  /** Whether it has a completion report at all. */
  @Column('boolean', { name: 'report_enabled', default: true })
  report: boolean;

  /** The `finished_at` that was reported last: a mailing that is reopened finishes again. */
  @Column('timestamptz', { name: 'reported_at', nullable: true })
  reportedAt: Date | null;

  /** Hidden at once, purged in chunks. */
  @Column('timestamptz', { name: 'deleted_at', nullable: true })
  deletedAt: Date | null;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;

  @UpdateDateColumn({ name: 'updated_at', type: 'timestamptz' })
  updatedAt: Date;
}
