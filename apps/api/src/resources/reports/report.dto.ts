import { ApiProperty } from '@nestjs/swagger';
import { IsIn } from 'class-validator';
import {
  MAILING_STATUSES,
  REPORT_KINDS,
  REPORT_STATUSES,
  REPORT_TRANSPORTS,
  type ReportKind,
  type ReportStatus,
  type ReportTransport,
} from '@app/database';
import { PageQueryDto } from '../../http/pagination/page-query.dto.js';
import { MayBeMissing } from '../../http/fields/optional.js';
import { Fraction } from '../../http/openapi/fraction.js';

/** A recipient whose mail server refused it for good. */
export class RefusalDto {
  /** @example "nobody@example.com" */
  recipient: string;

  /**
   * The mail server's words.
   * @example "550 5.1.1 No such user"
   */
  answer: string;
}

/** A report or an alert on one transport, with its recipients and its outcome. */
export class ReportDto {
  /** @example 7 */
  id: number;

  @ApiProperty({ enum: REPORT_KINDS, example: 'daily' })
  kind: ReportKind;

  /**
   * What it is about; unique per kind and transport, save those that were asked for by hand.
   * @example "2030-03-02"
   */
  key: string;

  @ApiProperty({ enum: REPORT_TRANSPORTS, example: 'email' })
  transport: ReportTransport;

  /**
   * Whether it was asked for by hand; otherwise it is the scheduled one.
   * @example false
   */
  requested: boolean;

  /**
   * Of a daily report: the day on which it is due.
   * @example "2030-03-02"
   */
  @ApiProperty({ format: 'date' })
  date: string | null;

  /**
   * The mailing that it is about.
   * @example null
   */
  mailingId: number | null;

  /**
   * What a daily report covers, from here …
   * @example "2030-03-01T06:00:00.000Z"
   */
  from: Date | null;

  /**
   * … to here.
   * @example "2030-03-02T06:00:00.000Z"
   */
  to: Date | null;

  /**
   * `kept`: there is no transport for it, so that it can only be read. `failed`: nobody got it, for the
   * reason in `error`.
   */
  @ApiProperty({ enum: REPORT_STATUSES, example: 'sent' })
  status: ReportStatus;

  /** @example ["boss@example.com"] */
  recipients: string[];

  /**
   * Recipients whose mail server accepted it.
   * @example ["boss@example.com"]
   */
  accepted: string[];

  refused: RefusalDto[];

  /** @example 1 */
  attempts: number;

  /**
   * When it is tried next, while it is pending.
   * @example null
   */
  nextAttemptAt: Date | null;

  /**
   * An attempt ended without an answer after its content was handed over: it may have arrived twice.
   * @example false
   */
  possibleDuplicate: boolean;

  /** @example "2030-03-02T06:00:01.000Z" */
  sentAt: Date | null;

  /**
   * The answer of the mail server or the webhook to the latest attempt.
   * @example "250 2.0.0 Ok: queued as 4F1A2"
   */
  answer: string | null;

  /**
   * Why the latest attempt did not succeed, or why none is made, for programs: `smtp_550`, `http_503`,
   * `timeout`, `refused`, `dns`, `tls`, `sign_in_failed`, `connection_failed`, `deferred`,
   * `interrupted`, `no_recipients`, `no_transport`, `no_address`, `not_written`, `not_laid_out`,
   * `failed`.
   * @example null
   */
  errorCode: string | null;

  /**
   * The same, for people.
   * @example null
   */
  error: string | null;

  /** @example "2030-03-02T06:00:00.000Z" */
  createdAt: Date;
}

export class ReportPageDto {
  items: ReportDto[];

  /**
   * Null on the last page.
   * @example "WyJyZXBvcnRzIiw0Ml0"
   */
  nextCursor: string | null;
}

export class ReportListQueryDto extends PageQueryDto {
  /** Only reports of this kind. */
  @ApiProperty({ enum: REPORT_KINDS, required: false })
  @MayBeMissing()
  @IsIn(REPORT_KINDS)
  kind?: ReportKind;
}

/**
 * Messages that reached a final status in a period, less those that left it again: a failed one that
 * is tried again and sent is one less `failed`, so that a figure may be below 0.
 */
export class ActivityDto {
  /**
   * Mailings that were active.
   * @example 3
   */
  mailings: number;

  /** @example 12480 */
  sent: number;

  /** @example 31 */
  failed: number;

  /** @example 112 */
  expired: number;

  /** @example 0 */
  cancelled: number;

  /** @example 2 */
  unknown: number;

  /**
   * `sent` in `sent + failed + expired + unknown`: 0 to 1; null when that is nothing.
   * @example 0.9885
   */
  @Fraction()
  successRate: number | null;
}

export class ReportedTotalsDto extends ActivityDto {
  /**
   * Waiting or on their way when the report was written.
   * @example 5000
   */
  pending: number;
}

export class ReportedMailingDto {
  /** @example 42 */
  id: number;

  /** @example "Spring sale" */
  name: string;

  @ApiProperty({ enum: MAILING_STATUSES, example: 'completed' })
  status: string;

  /** @example 12480 */
  sent: number;

  /** @example 31 */
  failed: number;

  /** @example 112 */
  expired: number;

  /** @example 0 */
  cancelled: number;

  /** @example 2 */
  unknown: number;

  /** @example 5000 */
  pending: number;

  /**
   * Messages of the mailing, over its whole life.
   * @example 17625
   */
  total: number;

  /** @example 0.9885 */
  @Fraction()
  successRate: number | null;
}

export class ReasonDto {
  /** @example "http_400" */
  code: string;

  /** @example 31 */
  attempts: number;

  /**
   * The provider's words, of the latest.
   * @example "The provider answered 400: no such phone"
   */
  detail: string | null;
}

/** The content of a daily report. */
export class DailyContentDto {
  /** @example "2030-03-01T06:00:00.000Z" */
  @ApiProperty({ format: 'date-time' })
  from: string;

  /** @example "2030-03-02T06:00:00.000Z" */
  @ApiProperty({ format: 'date-time' })
  to: string;

  totals: ReportedTotalsDto;

  /** The day before. */
  before: ActivityDto;

  /** The most active first, at most 50. */
  mailings: ReportedMailingDto[];

  /**
   * How many more mailings were active.
   * @example 0
   */
  unlisted: number;

  /** Why attempts failed, the most frequent first, at most 10. */
  reasons: ReasonDto[];
}

/** The daily report of one date. */
export class ReportDayDto {
  /** @example "2030-03-02" */
  @ApiProperty({ format: 'date' })
  date: string;

  /** The content of the scheduled report, or else of the newest; null while none is written. */
  content: DailyContentDto | null;

  /** Newest first; at most one of them is the scheduled one. */
  reports: ReportDto[];
}
