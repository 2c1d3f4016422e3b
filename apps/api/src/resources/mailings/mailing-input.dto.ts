import { ApiProperty, IntersectionType, OmitType, PartialType } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsNumber,
  IsObject,
  IsString,
  Length,
  Matches,
  Max,
  Min,
  Validate,
  ValidateNested,
} from 'class-validator';
import { type ChannelName, CHANNELS } from '@app/database';
import { DEFAULT_CHANNEL } from '@app/lanes';
import { IsEmailAddress } from '../../http/fields/is-email-address.js';
import { canonicalName } from '@app/platform';
import { Canonical } from '../../http/fields/canonical.js';
import { IsInFuture, IsInstant, IsLaterThan } from '../../http/fields/instants.js';
import { MayBeMissing, MayBeNone } from '../../http/fields/optional.js';
import { ReadOnly } from '../../http/versions/read-only.js';
import { Differs, IsText, IsTimeOfDay, IsWindowTimezone } from './rules.js';
import { Fraction } from '../../http/openapi/fraction.js';

/** Whom a mailing is for: inside a list OR, between lists AND; an empty or missing list is everyone. */
export class FilterInputDto {
  /**
   * Operator codes.
   * @example ["912", "916"]
   */
  @MayBeMissing()
  @IsArray()
  @ArrayMaxSize(1_000)
  @Matches(/^\d{1,10}$/, { each: true, message: 'must be 1 to 10 digits' })
  operatorCodes?: string[];

  /**
   * Names of tags. A name that no client has matches nobody.
   * @example ["vip"]
   */
  @MayBeMissing()
  @Canonical(canonicalName)
  @IsArray()
  @ArrayMaxSize(1_000)
  @IsString({ each: true })
  @Length(1, 200, { each: true, message: 'must be 1 to 200 characters' })
  tags?: string[];

  /**
   * Phones, at most 10,000.
   * @example ["79161234567"]
   */
  @MayBeMissing()
  @IsArray()
  @ArrayMaxSize(10_000)
  @Matches(/^7\d{10}$/, {
    each: true,
    message: 'must be 7XXXXXXXXXX: the digit 7 and ten more digits',
  })
  phones?: string[];
}

/** Hours of the day in which messages may be sent. From later than `to` goes over midnight. */
export class WindowInputDto {
  /**
   * The first minute that is allowed.
   * @example "09:00"
   */
  @IsTimeOfDay()
  from: string;

  /**
   * The first minute that is no longer allowed.
   * @example "21:00"
   */
  @IsTimeOfDay()
  @Differs('from')
  to: string;

  /**
   * By whose clock: `client` (each client's own, also when left out) or an IANA timezone.
   * @example "client"
   */
  @MayBeMissing()
  @IsWindowTimezone()
  timezone?: string;
}

/** Everything that a caller decides about a mailing. */
export class MailingInputDto {
  /**
   * Its name: 1 to 200 characters; the first 60 characters of the text when left out.
   * @example "Spring sale"
   */
  @MayBeMissing()
  @Canonical(canonicalName)
  @IsText(200)
  name?: string;

  /** The channel of the messages; `notification` when left out. */
  @ApiProperty({ enum: CHANNELS, required: false, example: DEFAULT_CHANNEL })
  @MayBeMissing()
  @IsIn(CHANNELS)
  channel?: ChannelName;

  /**
   * What is sent: 1 to 4096 characters (Unicode code points), byte for byte as it is here.
   * @example "Everything at half price until Sunday."
   */
  @IsText(4_096)
  text: string;

  /** Whom it is for; everyone when left out. */
  @MayBeMissing()
  @IsObject()
  @ValidateNested()
  @Type(() => FilterInputDto)
  filter?: FilterInputDto;

  /**
   * When sending begins, from 2000 to 2199; a moment in the past is at once.
   * @example "2030-03-01T09:00:00+03:00"
   */
  @ApiProperty({ format: 'date-time', required: false })
  @MayBeMissing()
  @IsInstant()
  startAt?: string;

  /**
   * Nothing is sent from this moment on.
   * @example "2030-03-02T21:00:00+03:00"
   */
  @ApiProperty({ format: 'date-time' })
  @IsInstant()
  @IsLaterThan('startAt')
  endAt: string;

  /** Allowed hours; null or left out: all day. */
  @MayBeNone()
  @IsObject()
  @ValidateNested()
  @Type(() => WindowInputDto)
  window?: WindowInputDto | null;

  /**
   * Messages per second at most, over all workers; null or left out: as fast as the channel takes them.
   * @example 50
   */
  @MayBeNone()
  @IsNumber({ allowNaN: false, allowInfinity: false })
  @Min(0.001)
  @Max(100_000)
  @Fraction()
  ratePerSecond?: number | null;

  /**
   * Tries per message before it counts as failed; null or left out: until the mailing ends.
   * @example 10
   */
  @MayBeNone()
  @IsInt()
  @Min(1)
  @Max(1_000)
  maxTries?: number | null;

  /**
   * Who gets the completion report besides those whom the settings name: e-mail addresses, at most
   * 10. They come back in their canonical form, each once: the domain in ASCII and lower case.
   * @example ["marketing@example.com"]
   */
  @MayBeMissing()
  @IsArray()
  @ArrayMaxSize(10)
  @Validate(IsEmailAddress, { each: true })
  reportTo?: string[];

  /**
   * Whether there is a completion report at all; true when left out.
   * @example true
   */
  @MayBeMissing()
  @IsBoolean()
  report?: boolean;
}

/** A new mailing. `startAt` left out is now. */
export class CreateMailingDto extends MailingInputDto {
  /**
   * Nothing is sent from this moment on; in the future.
   * @example "2030-03-02T21:00:00+03:00"
   */
  @ApiProperty({ format: 'date-time' })
  @IsInstant() // again, for the rules of an overridden field are not inherited
  @IsLaterThan('startAt')
  @IsInFuture()
  override endAt: string;
}

class WholeFilterDto {
  /** Whom it is for; `{}` is everyone. */
  @IsObject()
  @ValidateNested()
  @Type(() => FilterInputDto)
  filter: FilterInputDto;
}

/**
 * The whole mailing, as it was read or without its read-only fields. What is left out takes its
 * default, only `startAt` stays as it is; `filter` must be there, for its default would be everyone.
 */
export class ReplaceMailingDto extends IntersectionType(
  OmitType(MailingInputDto, ['filter']),
  WholeFilterDto,
) {
  @ReadOnly()
  id?: number;

  @ReadOnly()
  textVersion?: number;

  @ReadOnly()
  status?: string;

  @ReadOnly()
  endedAt?: string | null;

  @ReadOnly()
  finishedAt?: string | null;

  @ReadOnly()
  createdAt?: string;

  @ReadOnly()
  updatedAt?: string;
}

/** Only what changes; null for `window`, `ratePerSecond` and `maxTries` takes them away. */
export class UpdateMailingDto extends PartialType(MailingInputDto, { skipNullProperties: false }) {}

/** A mailing as one would create it. */
export class PreviewMailingDto extends CreateMailingDto {}
