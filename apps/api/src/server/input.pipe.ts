import { type ArgumentMetadata, Injectable, ValidationPipe } from '@nestjs/common';
import { DomainError } from '@app/platform';
import { fieldErrorsOf } from './field-errors.js';

/**
 * Checks bodies and queries against their DTO: every unknown or invalid field is named, and nothing
 * is converted behind the caller's back.
 */
@Injectable()
export class InputPipe extends ValidationPipe {
  constructor() {
    super({
      transform: true,
      whitelist: true,
      forbidNonWhitelisted: true,
      // Needed to find the place in a list; neither gets into an answer.
      validationError: { target: true, value: true },
      exceptionFactory: (failures) => {
        const errors = fieldErrorsOf(failures);
        const places = errors.map((error) => error.path).join(', ');
        const count = errors.length === 1 ? '1 field is' : `${errors.length} fields are`;
        return new DomainError('invalid', `${count} invalid: ${places}`, errors);
      },
    });
  }

  override async transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    // A path parameter has a pipe of its own; this one would take `1e3` for a number.
    if (metadata.type === 'param') return value;
    if (metadata.type === 'body' && (typeof value !== 'object' || Array.isArray(value))) {
      if (value !== undefined) throw new DomainError('invalid', 'The body must be a JSON object');
    }
    return super.transform(value, metadata);
  }
}
