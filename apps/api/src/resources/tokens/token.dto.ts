import { ApiProperty } from '@nestjs/swagger';
import { IsIn, IsString, Length, Matches } from 'class-validator';
import { ROLES, type Role } from '@app/database';
import { canonicalName } from '@app/platform';
import { IsInstant } from '../../http/fields/instants.js';
import { Canonical } from '../../http/fields/canonical.js';
import { MayBeMissing } from '../../http/fields/optional.js';

/** An API key to be made. */
export class CreateTokenDto {
  /**
   * What it is for; unique, in one line. It is stored in NFC, without white space at its ends.
   * @example "crm"
   */
  @Canonical(canonicalName)
  @IsString()
  @Length(1, 100, { message: 'must be 1 to 100 characters' })
  @Matches(/^\S(.*\S)?$/, { message: 'must be one line, and not blank' })
  name: string;

  /**
   * `viewer` reads; `operator` also writes clients, tags and mailings; `admin` also keeps keys,
   * channels and queues.
   * @example "operator"
   */
  @IsIn(ROLES, { message: `must be one of ${ROLES.join(', ')}` })
  role: Role;

  /**
   * From when it no longer works: ISO 8601 with an offset, in the future, until 2199. Left out: never.
   * @example "2030-01-01T00:00:00Z"
   */
  @ApiProperty({ format: 'date-time', required: false })
  @MayBeMissing()
  @IsInstant()
  expiresAt?: string;
}

/** An API key, without the key itself, which is not kept. */
export class TokenDto {
  /** @example 2 */
  id: number;

  /** @example "crm" */
  name: string;

  @ApiProperty({ enum: ROLES, example: 'operator' })
  role: Role;

  /**
   * From when it no longer works; null: it does not expire.
   * @example "2030-01-01T00:00:00.000Z"
   */
  @ApiProperty({ format: 'date-time' })
  expiresAt: string | null;

  /**
   * Since when it no longer works; null: it has not been revoked.
   * @example null
   */
  @ApiProperty({ format: 'date-time' })
  revokedAt: string | null;

  /** @example "2026-07-01T09:00:00.000Z" */
  @ApiProperty({ format: 'date-time' })
  createdAt: string;
}

export class CreatedTokenDto extends TokenDto {
  /**
   * The key itself. It is shown once and not stored.
   * @example "ph_3q2-7wAAAAC7zN6rC9kZ0pXy8mXb1eU5n0TtF2gQxVw"
   */
  token: string;
}

export class TokenPageDto {
  items: TokenDto[];

  /**
   * The cursor of the next page; null on the last.
   * @example null
   */
  nextCursor: string | null;
}
