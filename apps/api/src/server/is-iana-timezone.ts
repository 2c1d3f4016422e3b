import { ValidatorConstraint, type ValidatorConstraintInterface } from 'class-validator';
import { isTimezone } from '@app/mailing';

/** `@Validate(IsIanaTimezone)`: a timezone that slots can be computed for. */
@ValidatorConstraint({ name: 'isIanaTimezone' })
export class IsIanaTimezone implements ValidatorConstraintInterface {
  validate(value: unknown): boolean {
    return typeof value === 'string' && isTimezone(value);
  }

  defaultMessage(): string {
    return 'must be an IANA timezone, e.g. Europe/Moscow';
  }
}
