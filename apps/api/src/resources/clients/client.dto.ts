import { ApiProperty } from '@nestjs/swagger';
import { ArrayMaxSize, IsArray, IsString, Matches, MaxLength } from 'class-validator';
import { MESSAGE_STATUSES, type MessageStatus } from '@app/database';
import { canonicalName } from '@app/platform';
import { PageQueryDto } from '../../http/pagination/page-query.dto.js';
import { Canonical } from '../../http/fields/canonical.js';
import { IsIanaTimezone } from '../../http/fields/is-iana-timezone.js';
import { MayBeMissing } from '../../http/fields/optional.js';
import { ReadOnly } from '../../http/versions/read-only.js';

const PHONE_MESSAGE = { message: 'must be 7XXXXXXXXXX: the digit 7 and ten more digits' };
const OPERATOR_CODE_MESSAGE = { message: 'must be 1 to 10 digits' };
const TAG_NAME_MESSAGE = 'must be 1 to 100 characters in one line, and not blank';

/** A client to be written. What is left out gets its default. */
export class WriteClientDto {
  /**
   * `7XXXXXXXXXX`; no two clients have the same.
   * @example "79261234567"
   */
  @IsString()
  @Matches(/^7\d{10}$/, PHONE_MESSAGE)
  phone: string;

  /**
   * The code of the mobile operator. Left out: digits 2 to 4 of the phone.
   * @example "926"
   */
  @MayBeMissing()
  @IsString()
  @Matches(/^\d{1,10}$/, OPERATOR_CODE_MESSAGE)
  operatorCode?: string;

  /**
   * Names of tags. A tag that does not exist yet is made.
   * @example ["vip", "moscow"]
   */
  @MayBeMissing()
  @Canonical(canonicalName)
  @IsArray()
  @ArrayMaxSize(100)
  @IsString({ each: true })
  @MaxLength(100, { each: true, message: TAG_NAME_MESSAGE })
  @Matches(/^\S(.*\S)?$/u, { each: true, message: TAG_NAME_MESSAGE })
  tags?: string[];

  /**
   * A name of the IANA database, in any case of letters; old names become the present ones
   * (`Asia/Calcutta` is `Asia/Kolkata`). Left out: the server's timezone.
   * @example "Europe/Moscow"
   */
  @MayBeMissing()
  @IsIanaTimezone()
  timezone?: string;
}

/** A client as it was read, or without what cannot be written. */
export class ReplaceClientDto extends WriteClientDto {
  /** @example 42 */
  @ReadOnly()
  id?: number;
}

/** What changes about a client; what is left out stays as it is. */
export class ChangeClientDto {
  /**
   * `7XXXXXXXXXX`; no two clients have the same. The operator code does not follow by itself.
   * @example "79261234567"
   */
  @MayBeMissing()
  @IsString()
  @Matches(/^7\d{10}$/, PHONE_MESSAGE)
  phone?: string;

  /**
   * The code of the mobile operator.
   * @example "926"
   */
  @MayBeMissing()
  @IsString()
  @Matches(/^\d{1,10}$/, OPERATOR_CODE_MESSAGE)
  operatorCode?: string;

  /**
   * All tags that the client has from now on, by name. A tag that does not exist yet is made.
   * @example ["vip"]
   */
  @MayBeMissing()
  @Canonical(canonicalName)
  @IsArray()
  @ArrayMaxSize(100)
  @IsString({ each: true })
  @MaxLength(100, { each: true, message: TAG_NAME_MESSAGE })
  @Matches(/^\S(.*\S)?$/u, { each: true, message: TAG_NAME_MESSAGE })
  tags?: string[];

  /**
   * A name of the IANA database, in any case of letters; old names become the present ones.
   * @example "Asia/Vladivostok"
   */
  @MayBeMissing()
  @IsIanaTimezone()
  timezone?: string;
}

export class ClientDto {
  /** @example 42 */
  id: number;

  /** @example "79261234567" */
  phone: string;

  /** @example "926" */
  operatorCode: string;

  /**
   * In alphabetical order.
   * @example ["moscow", "vip"]
   */
  tags: string[];

  /** @example "Europe/Moscow" */
  timezone: string;
}

export class ClientPageDto {
  items: ClientDto[];

  /**
   * The cursor of the next page; null on the last.
   * @example "WyJjbGllbnRzIiw0Ml0"
   */
  nextCursor: string | null;
}

/** Which clients. All that is given must be true of a client. */
export class ClientQueryDto extends PageQueryDto {
  /**
   * The name of a tag.
   * @example "vip"
   */
  @MayBeMissing()
  @Canonical(canonicalName)
  @IsString()
  @MaxLength(100)
  tag?: string;

  /** @example "926" */
  @MayBeMissing()
  @IsString()
  @Matches(/^\d{1,10}$/, OPERATOR_CODE_MESSAGE)
  operatorCode?: string;

  /**
   * Under any of its names.
   * @example "Europe/Moscow"
   */
  @MayBeMissing()
  @IsIanaTimezone()
  timezone?: string;

  /** @example "79261234567" */
  @MayBeMissing()
  @IsString()
  @Matches(/^7\d{10}$/, PHONE_MESSAGE)
  phone?: string;
}

/** What one mailing did for a client. */
export class ClientMessageDto {
  /**
   * Of the message: the `msgId` that the provider sees.
   * @example 1007
   */
  id: number;

  /** @example 7 */
  mailingId: number;

  /** @example "Spring sale" */
  mailingName: string;

  /**
   * Where the last attempt went; null before the first one.
   * @example "79161234567"
   */
  phone: string | null;

  @ApiProperty({ enum: MESSAGE_STATUSES, example: 'sent' })
  status: MessageStatus;

  /**
   * It was sent again after an attempt without a readable answer, so it may have arrived twice.
   * @example false
   */
  repeated: boolean;

  /**
   * Attempts so far.
   * @example 1
   */
  attempts: number;

  /**
   * When it was planned.
   * @example "2026-07-01T08:59:58.000Z"
   */
  @ApiProperty({ format: 'date-time' })
  createdAt: string;

  /**
   * When the provider confirmed it; null: it has not.
   * @example "2026-07-01T09:00:00.000Z"
   */
  @ApiProperty({ format: 'date-time' })
  sentAt: string | null;

  /**
   * Why the last attempt that failed did, for programs; null: none failed.
   * @example null
   */
  lastErrorCode: string | null;

  /**
   * The same, for people.
   * @example null
   */
  lastError: string | null;
}

export class ClientMessagePageDto {
  items: ClientMessageDto[];

  /**
   * The cursor of the next page; null on the last.
   * @example null
   */
  nextCursor: string | null;
}
