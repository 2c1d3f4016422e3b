import { ApiProperty } from '@nestjs/swagger';
import { IsIn } from 'class-validator';
import { type ChannelName, CHANNELS, MAILING_STATUSES, type MailingStatus } from '@app/database';
import { DEFAULT_CHANNEL } from '@app/lanes';
import { PageQueryDto } from '../../http/pagination/page-query.dto.js';
import { canonicalName } from '@app/platform';
import { Canonical } from '../../http/fields/canonical.js';
import { MayBeMissing } from '../../http/fields/optional.js';
import { IsText } from './rules.js';
import { Fraction } from '../../http/openapi/fraction.js';

/** Whom a mailing is for: inside a list OR, between lists AND; an empty list is everyone. */
export class FilterDto {
  /** @example ["912", "916"] */
  operatorCodes: string[];

  /** @example ["vip"] */
  tags: string[];

  /** @example ["79161234567"] */
  phones: string[];
}

/** Hours of the day in which messages may be sent. */
export class WindowDto {
  /** @example "09:00" */
  from: string;

  /** @example "21:00" */
  to: string;

  /**
   * `client`, or an IANA timezone.
   * @example "client"
   */
  timezone: string;
}

/** One text for many clients, between a start and an end. */
export class MailingDto {
  /** @example 42 */
  id: number;

  /** @example "Spring sale" */
  name: string;

  @ApiProperty({ enum: CHANNELS, example: DEFAULT_CHANNEL })
  channel: ChannelName;

  /** @example "Everything at half price until Sunday." */
  text: string;

  /**
   * Grows with every change of the text; each message says which version it got.
   * @example 1
   */
  textVersion: number;

  filter: FilterDto;

  /** @example "2030-03-01T06:00:00.000Z" */
  startAt: Date;

  /** @example "2030-03-02T18:00:00.000Z" */
  endAt: Date;

  /** Allowed hours; null: all day. */
  window: WindowDto | null;

  /**
   * Messages per second at most; null: as fast as the channel takes them.
   * @example 50
   */
  @Fraction()
  ratePerSecond: number | null;

  /**
   * Tries per message before it counts as failed; null: until the end.
   * @example 10
   */
  maxTries: number | null;

  /**
   * Who gets its completion report besides those whom the settings name.
   * @example ["marketing@example.com"]
   */
  reportTo: string[];

  /**
   * Whether it has a completion report.
   * @example true
   */
  report: boolean;

  /** Why a mailing completed (all sent, end time) follows from its statistics. */
  @ApiProperty({ enum: MAILING_STATUSES, example: 'completed' })
  status: MailingStatus;

  /**
   * When it ended or was cancelled: from here on nothing more was begun.
   * @example "2030-03-01T06:10:00.000Z"
   */
  endedAt: Date | null;

  /**
   * When its last message reached a final status.
   * @example "2030-03-01T06:10:01.000Z"
   */
  finishedAt: Date | null;

  /** @example "2030-02-27T10:00:00.000Z" */
  createdAt: Date;

  /** @example "2030-03-01T06:10:00.000Z" */
  updatedAt: Date;
}

export class MailingPageDto {
  items: MailingDto[];

  /**
   * Null on the last page.
   * @example "WyJtYWlsaW5ncyIsNDJd"
   */
  nextCursor: string | null;
}

export class MailingListQueryDto extends PageQueryDto {
  /** Only mailings with this status. */
  @ApiProperty({ enum: MAILING_STATUSES, required: false })
  @MayBeMissing()
  @IsIn(MAILING_STATUSES)
  status?: MailingStatus;

  /**
   * Only mailings whose name contains this, in any case of letters.
   * @example "sale"
   */
  @MayBeMissing()
  @Canonical(canonicalName)
  @IsText(200)
  name?: string;
}

export class ReopenedDto {
  /**
   * Messages that will be sent again.
   * @example 17
   */
  reopened: number;
}
