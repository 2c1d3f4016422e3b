import { type ArgumentMetadata, Injectable, type PipeTransform, type Type } from '@nestjs/common';
import { plainToInstance } from 'class-transformer';
import { validate } from 'class-validator';
import { DomainError, type FieldError } from '@app/platform';
import { fieldErrorsOf } from './field-errors.js';
import { invalidFields } from '../problems/invalid-fields.js';
import { shapeOf } from './known-fields.js';

/**
 * Checks bodies and queries against their DTO: every unknown or invalid field is named, and nothing
 * is converted silently.
 */
@Injectable()
export class InputPipe implements PipeTransform {
  /** @throws DomainError `invalid` that names every wrong field */
  async transform(value: unknown, { type, metatype }: ArgumentMetadata): Promise<unknown> {
    // A path parameter has a pipe of its own.
    if (type !== 'body' && type !== 'query') return value;
    if (!metatype || (metatype as unknown) === Object) {
      throw new Error(`A ${type} without a DTO class would not be checked`);
    }
    const input: unknown = value === undefined ? {} : value;
    if (typeof input !== 'object' || input === null || Array.isArray(input)) {
      throw new DomainError('invalid', 'The body must be a JSON object');
    }
    const { errors, kept } = shapeOf(metatype as Type<object>, input);
    const checked = plainToInstance(metatype as Type<object>, kept);
    const failures = await validate(checked);
    const all = [...errors, ...fieldErrorsOf(failures).filter((error) => !isSaid(error, errors))];
    if (all.length > 0) throw invalidFields(all);
    return checked;
  }
}

/** A field that was refused by its shape is missing for the rules, which do not refuse it again. */
function isSaid({ path }: FieldError, errors: FieldError[]): boolean {
  return errors.some((error) => error.path === path || error.path.startsWith(`${path}[`));
}
