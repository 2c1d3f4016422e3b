import { ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsInt, IsString, Max, MaxLength, Min } from 'class-validator';
import { MayBeMissing } from '../fields/optional.js';

/** Which page of a list. Extend it with the filters of the list. */
export class PageQueryDto {
  /**
   * How many items at most.
   * @example 50
   */
  @ApiPropertyOptional({ type: 'integer' })
  @Transform(({ value }: { value: unknown }) => wholeNumber(value))
  @IsInt()
  @Min(1)
  @Max(500)
  limit = 50;

  /**
   * The `nextCursor` of the page before; left out for the first page.
   * @example "WyJjbGllbnRzIiw0Ml0"
   */
  @MayBeMissing()
  @IsString()
  @MaxLength(500)
  cursor?: string;
}

/** Queries are text; what is not plain digits stays text and fails. */
function wholeNumber(value: unknown): unknown {
  return typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value;
}
