import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { Equals, IsIn, IsString, Matches } from 'class-validator';
import {
  ATTEMPT_OUTCOMES,
  type AttemptOutcome,
  MESSAGE_STATUSES,
  type MessageStatus,
} from '@app/database';
import { NEXT_STEPS, type NextStepKind } from '@app/mailings';
import { PageQueryDto } from '../../http/pagination/page-query.dto.js';
import { MayBeMissing } from '../../http/fields/optional.js';

/** One mailing's message to one client. */
export class MessageDto {
  /**
   * Also the `msgId` that the provider sees.
   * @example 1234567
   */
  id: number;

  /** @example 42 */
  mailingId: number;

  /** @example 7 */
  clientId: number;

  /**
   * Where it went at its last attempt; before the first one the client's phone of now. Null when the
   * client has been deleted.
   * @example "79161234567"
   */
  phone: string | null;

  @ApiProperty({ enum: MESSAGE_STATUSES, example: 'sent' })
  status: MessageStatus;

  /**
   * When it was planned.
   * @example "2030-03-01T06:00:00.000Z"
   */
  createdAt: Date;

  /**
   * How often it was taken up for sending.
   * @example 2
   */
  attempts: number;

  /**
   * How many of these the provider may have seen; drives the waits between them.
   * @example 2
   */
  tries: number;

  /** @example "2030-03-01T06:00:01.000Z" */
  sentAt: Date | null;

  /**
   * Of the call that delivered it, in milliseconds.
   * @example 35
   */
  latencyMs: number | null;

  /**
   * Which version of the mailing's text the last attempt carried.
   * @example 1
   */
  textVersion: number | null;

  /**
   * An attempt ended without a readable answer and nothing has confirmed the message since: it may
   * have arrived.
   * @example false
   */
  unconfirmed: boolean;

  /**
   * It was sent again after an attempt without a readable answer, so it may have arrived twice. Stays
   * true, also when it is confirmed later.
   * @example false
   */
  repeated: boolean;

  /** @example "http_503" */
  lastErrorCode: string | null;

  /** @example "The provider answered 503" */
  lastError: string | null;

  /**
   * When a message that was tried before is due again.
   * @example "2030-03-01T06:00:05.000Z"
   */
  nextAttemptAt: Date | null;
}

export class MessagePageDto {
  items: MessageDto[];

  /**
   * Null on the last page.
   * @example "WyJtYWlsaW5ncy80Mi9tZXNzYWdlcyIsN10"
   */
  nextCursor: string | null;
}

export class MessageListQueryDto extends PageQueryDto {
  /** Only messages with this status. */
  @ApiProperty({ enum: MESSAGE_STATUSES, required: false })
  @MayBeMissing()
  @IsIn(MESSAGE_STATUSES)
  status?: MessageStatus;

  /** Only messages that may have reached their client twice. */
  @ApiProperty({ type: 'boolean', enum: [true], required: false })
  @MayBeMissing()
  @Transform(({ value }: { value: unknown }) => (value === 'true' ? true : value))
  @Equals(true, { message: 'must be true, or left out' })
  repeated?: true;

  /**
   * Only the message to the client who has this phone now.
   * @example "79161234567"
   */
  @MayBeMissing()
  @IsString()
  @Matches(/^7\d{10}$/, { message: 'must be 7XXXXXXXXXX: the digit 7 and ten more digits' })
  phone?: string;
}

/** An attempt that did not end in `sent`. */
export class AttemptDto {
  /**
   * The attempt's number, from 1.
   * @example 1
   */
  attempt: number;

  /** @example "2030-03-01T06:00:00.000Z" */
  at: Date;

  /** @example 120 */
  durationMs: number | null;

  @ApiProperty({ enum: ATTEMPT_OUTCOMES, example: 'retry' })
  outcome: AttemptOutcome;

  /**
   * Null when no answer came.
   * @example 503
   */
  httpStatus: number | null;

  /** @example "http_503" */
  errorCode: string;

  /** @example "The provider answered 503" */
  error: string | null;

  /** @example 1 */
  textVersion: number | null;

  /**
   * The first KB of the provider's answer.
   * @example "Service Unavailable"
   */
  excerpt: string | null;
}

/** What happens next to a message. */
export class NextStepDto {
  @ApiProperty({ enum: NEXT_STEPS, example: 'final' })
  what: NextStepKind;

  /**
   * The same, for people.
   * @example "Nothing, this is final"
   */
  words: string;

  /**
   * When, as far as it is known.
   * @example "2030-03-01T06:00:05.000Z"
   */
  at: Date | null;
}

export class MessageDetailDto extends MessageDto {
  /** The attempts that did not end in `sent`, oldest first. */
  deliveryAttempts: AttemptDto[];

  next: NextStepDto;
}
