import { IsString, Length, Matches } from 'class-validator';

export class WriteTagDto {
  /**
   * Unique, at most 100 characters, without white space at its ends.
   * @example "vip"
   */
  @IsString()
  @Length(1, 100, { message: 'must be 1 to 100 characters' })
  @Matches(/^\S(.*\S)?$/u, { message: 'must not be blank, nor have white space at its ends' })
  name: string;
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
