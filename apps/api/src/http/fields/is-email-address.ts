import { canonicalEmail } from '@app/platform';
import { ValidatorConstraint, type ValidatorConstraintInterface } from 'class-validator';

/** `@Validate(IsEmailAddress)`: what mail can be sent to; the settings go by the same rule. */
@ValidatorConstraint({ name: 'isEmailAddress' })
export class IsEmailAddress implements ValidatorConstraintInterface {
  validate(value: unknown): boolean {
    return typeof value === 'string' && canonicalEmail(value) !== null;
  }

  defaultMessage(): string {
    return 'must be an e-mail address';
  }
}
