import { Injectable, type PipeTransform } from '@nestjs/common';
import { DomainError } from '@app/platform';

/** The `{id}` of a path: a whole number from 1. Anything else is 400. */
@Injectable()
export class IdPipe implements PipeTransform<string, number> {
  transform(value: string): number {
    if (!/^[1-9]\d*$/.test(value)) {
      throw new DomainError('invalid', 'The id in the path is not a number', [
        { path: 'id', message: 'must be a whole number from 1' },
      ]);
    }
    const id = Number(value);
    if (!Number.isSafeInteger(id))
      throw new DomainError('not_found', `There is nothing with id ${value}`);
    return id;
  }
}
