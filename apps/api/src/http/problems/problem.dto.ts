import { ApiProperty } from '@nestjs/swagger';

/** One invalid field of a request. */
export class FieldProblemDto {
  /**
   * Where it is: `phone`, `filter.tags[0]`, `limit`.
   * @example "phone"
   */
  path: string;

  /**
   * What is wrong with it.
   * @example "must be 7XXXXXXXXXX: the digit 7 and ten more digits"
   */
  message: string;
}

/** Why a request was refused (RFC 9457, `application/problem+json`). */
export class ProblemDto {
  /**
   * Identifies the kind of problem, for programs.
   * @example "urn:posthorn:problem:invalid"
   */
  type: string;

  /**
   * The kind of problem, for people.
   * @example "Bad Request"
   */
  title: string;

  /**
   * The HTTP status again.
   * @example 400
   */
  status: number;

  /**
   * What happened this time.
   * @example "1 field is invalid: phone"
   */
  detail: string;

  /**
   * Why it was refused, for programs: the kind, or one of several reasons of a kind, such as
   * `phone_taken`, `tag_in_use`, `mailing_status`. A reason stays what it is when its words change.
   * @example "invalid"
   */
  code: string;

  /** What the code is about: statuses, ids, limits. Empty where it says all. */
  @ApiProperty({ type: 'object', additionalProperties: true, example: {} })
  data: Record<string, unknown>;

  /** Every invalid field; empty when the problem is not about fields. */
  errors: FieldProblemDto[];
}
