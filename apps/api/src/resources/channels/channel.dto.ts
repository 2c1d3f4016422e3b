import { ApiProperty } from '@nestjs/swagger';
import { IsIn, IsNumber, Matches, Max, MaxLength, Min, ValidateIf } from 'class-validator';
import { BREAKER_STATES, type BreakerState, type ChannelName, CHANNELS } from '@app/database';
import { DEFAULT_CHANNEL } from '@app/lanes';
import { QUEUE_TROUBLES, type QueueTroubleCode } from '@app/queue';
import { Fraction } from '../../http/openapi/fraction.js';

/** Why a breaker is open. */
export class BreakerReasonDto {
  /**
   * For programs: the code of the outcome that opened it (`http_503`, `timeout`, `refused` …), or
   * `opened_by_hand`.
   * @example "http_503"
   */
  code: string;

  /**
   * The provider's words; null: there are none.
   * @example "The provider answered 503"
   */
  words: string | null;
}

/** Why the queue takes no jobs of a channel. */
export class QueueTroubleDto {
  /** `refused`: it answers with a refusal; `failed`: anything else. */
  @ApiProperty({ enum: QUEUE_TROUBLES, example: 'refused' })
  code: QueueTroubleCode;

  /**
   * The queue's own words.
   * @example "WRONGPASS invalid username-password pair or user is disabled."
   */
  words: string;
}

/** A channel, with its breaker, its limit and its token. */
export class ChannelDto {
  /** @example "notification" */
  name: string;

  @ApiProperty({ enum: CHANNELS, example: DEFAULT_CHANNEL })
  channel: ChannelName;

  /** `open`: nothing is sent; `half_open`: one message is on its way as a probe. */
  @ApiProperty({ enum: BREAKER_STATES, example: 'open' })
  state: BreakerState;

  /**
   * Grows with every change of the state.
   * @example 3
   */
  generation: number;

  /** Why it is open; null while it is closed. */
  reason: BreakerReasonDto | null;

  /** @example "2030-03-01T06:00:00.000Z" */
  openedAt: Date | null;

  /**
   * When the next probe may be sent; null while closed, and when it was opened by hand.
   * @example "2030-03-01T06:00:30.000Z"
   */
  probeAt: Date | null;

  /**
   * Probes that failed since it opened.
   * @example 2
   */
  probes: number;

  /**
   * The provider has asked us to wait until then.
   * @example "2030-03-01T06:01:00.000Z"
   */
  pausedUntil: Date | null;

  /**
   * Messages per second at most, over all workers; null: no limit.
   * @example 100
   */
  @Fraction()
  ratePerSecond: number | null;

  @ApiProperty({ enum: ['environment', 'stored'], example: 'stored' })
  tokenSource: 'environment' | 'stored';

  /**
   * From the stored token; null when that cannot be known here.
   * @example "2030-06-01T00:00:00.000Z"
   */
  tokenExpiresAt: Date | null;

  /** Why the queue takes no jobs of this channel; null: it takes them. */
  queueTrouble: QueueTroubleDto | null;

  /** @example "2030-03-01T06:00:00.000Z" */
  updatedAt: Date;
}

/** There are few channels: the list has one page. */
export class ChannelListDto {
  items: ChannelDto[];

  /**
   * Always null.
   * @example null
   */
  @ApiProperty({ type: String, nullable: true, example: null })
  nextCursor: string | null;
}

export class SetBreakerDto {
  /** `open` holds everything until it is closed by hand; `closed` sends at once. */
  @ApiProperty({ enum: ['open', 'closed'], example: 'open' })
  @IsIn(['open', 'closed'])
  state: 'open' | 'closed';
}

export class SetRateDto {
  /**
   * Messages per second at most, over all workers; null lifts the limit.
   * @example 100
   */
  @ValidateIf((_, value) => value !== null)
  @IsNumber({ allowNaN: false, allowInfinity: false })
  @Min(0.001)
  @Max(100_000)
  @Fraction()
  ratePerSecond: number | null;
}

export class SetTokenDto {
  /**
   * The provider's new token. It is stored encrypted and never shown again.
   * @example "eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjE5MDY1MDI0MDB9.c2lnbmF0dXJl"
   */
  @Matches(/^[!-~]+$/, { message: 'must be printable ASCII without white space' })
  @MaxLength(8_192)
  token: string;
}
