import { IsString, Length, Matches } from 'class-validator';
import { canonicalName } from '@app/platform';
import { Canonical } from '../../http/fields/canonical.js';
import { ReadOnly } from '../../http/versions/read-only.js';

export class WriteTagDto {
  /**
   * Unique, 1 to 100 characters in one line. It is stored in NFC, without white space at its ends.
   * @example "vip"
   */
  @Canonical(canonicalName)
  @IsString()
  @Length(1, 100, { message: 'must be 1 to 100 characters' })
  @Matches(/^\S(.*\S)?$/u, { message: 'must be one line, and not blank' })
  name: string;
}

/** A tag as it was read, or without what cannot be written. */
export class ReplaceTagDto extends WriteTagDto {
  /** @example 3 */
  @ReadOnly()
  id?: number;
}

export class TagDto {
  /** @example 3 */
  id: number;

  /** @example "vip" */
  name: string;
}

export class TagPageDto {
  items: TagDto[];

  /**
   * The cursor of the next page; null on the last.
   * @example null
   */
  nextCursor: string | null;
}
