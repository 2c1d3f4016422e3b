import { type ArgumentMetadata, Injectable, type PipeTransform } from '@nestjs/common';
import { DomainError } from '@app/platform';

/** The `{id}` of a path, or another number in it: whole, from 1. Anything else is 400. */
@Injectable()
export class IdPipe implements PipeTransform<string, number> {
  /** @throws DomainError `invalid`; `not_found` for an id that is too large to exist. */
  transform(value: string, { data: path = 'id' }: ArgumentMetadata): number {
    if (!/^[1-9]\d*$/.test(value)) {
      throw new DomainError('invalid', `The ${path} in the path is not a number`, [
        { path, message: 'must be a whole number from 1' },
      ]);
    }
    const id = Number(value);
    if (!Number.isSafeInteger(id))
      throw new DomainError('not_found', `There is nothing with ${path} ${value}`);
    return id;
  }
}
