import { ApiProperty } from '@nestjs/swagger';
import { MAILING_STATUSES, type MailingStatus } from '@app/database';
import { Fraction } from '../../http/openapi/fraction.js';

/** Messages per status; they add up to `total`. */
export class CountsDto {
  /**
   * Waiting to be sent.
   * @example 150
   */
  pending: number;

  /**
   * With the provider right now.
   * @example 10
   */
  sending: number;

  /**
   * Confirmed by the provider.
   * @example 800
   */
  sent: number;

  /**
   * Refused by the provider for good.
   * @example 20
   */
  failed: number;

  /**
   * Not sent before the end.
   * @example 15
   */
  expired: number;

  /**
   * Not sent because the mailing was cancelled or the client deleted.
   * @example 3
   */
  cancelled: number;

  /**
   * An attempt ended without a readable answer: nobody knows whether it arrived.
   * @example 2
   */
  unknown: number;
}

export class TotalsDto {
  /** @example 3 */
  mailings: number;

  /**
   * Messages.
   * @example 1000
   */
  total: number;

  /**
   * Those that may have reached their client twice, also when they were confirmed later.
   * @example 1
   */
  repeated: number;

  counts: CountsDto;
}

export class MailingSummaryDto {
  /** @example 42 */
  id: number;

  /** @example "Spring sale" */
  name: string;

  @ApiProperty({ enum: MAILING_STATUSES, example: 'running' })
  status: MailingStatus;

  /** @example "2030-03-01T06:00:00.000Z" */
  startAt: Date;

  /** @example "2030-03-02T18:00:00.000Z" */
  endAt: Date;

  /**
   * Messages.
   * @example 1000
   */
  total: number;

  /**
   * Those that may have reached their client twice, also when they were confirmed later.
   * @example 1
   */
  repeated: number;

  counts: CountsDto;
}

/** Over all mailings and per mailing, newest first. */
export class GeneralStatisticsDto {
  totals: TotalsDto;

  items: MailingSummaryDto[];

  /**
   * Null on the last page.
   * @example "WyJzdGF0aXN0aWNzIiw0Ml0"
   */
  nextCursor: string | null;
}

export class ThroughputDto {
  /**
   * Messages sent in the last 60 seconds.
   * @example 600
   */
  lastMinute: number;

  /**
   * The same per second, over the part of that minute in which the mailing was under way.
   * @example 10
   */
  @Fraction()
  perSecond: number;

  /**
   * From the start to the last message, or to now; null before the start.
   * @example 9.5
   */
  @Fraction()
  averagePerSecond: number | null;
}

/** How often attempts ended for one reason. */
export class ErrorGroupDto {
  /** @example "http_503" */
  code: string;

  /** @example 25 */
  attempts: number;

  /**
   * The provider's words, of the latest.
   * @example "The provider answered 503"
   */
  detail: string | null;

  /** @example "2030-03-01T06:05:00.000Z" */
  lastAt: Date;
}

export class MailingStatisticsDto extends MailingSummaryDto {
  /**
   * Whether `total` is final: the whole audience has its messages.
   * @example true
   */
  planned: boolean;

  /** @example "2030-03-01T06:10:00.000Z" */
  endedAt: Date | null;

  /** @example "2030-03-01T06:10:01.000Z" */
  finishedAt: Date | null;

  /**
   * The share of messages that have reached a final status, of those planned so far: 0 to 1.
   * @example 0.84
   */
  @Fraction()
  progress: number;

  throughput: ThroughputDto;

  /**
   * When it will be done at its present speed, never after `endAt`; null when that cannot be known.
   * @example "2030-03-01T06:10:01.000Z"
   */
  forecast: Date | null;

  /** The most frequent reasons first, at most 100. */
  errors: ErrorGroupDto[];

  /**
   * Whether an alert about its error rate was raised; there is one per mailing at most.
   * @example false
   */
  alertSent: boolean;
}
