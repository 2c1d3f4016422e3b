import { Injectable, type PipeTransform } from '@nestjs/common';
import { DomainError } from '@app/platform';

/** The `{date}` of a path: a day that exists, `YYYY-MM-DD`. Anything else is 400. */
@Injectable()
export class DatePipe implements PipeTransform<string, string> {
  transform(value: string): string {
    const day = /^\d{4}-\d\d-\d\d$/.test(value) ? new Date(`${value}T00:00:00Z`) : null;
    // The 31st of February is read as the 3rd of March.
    if (day && !Number.isNaN(day.getTime()) && day.toISOString().startsWith(value)) return value;
    throw new DomainError('invalid', 'The date in the path is not a date', [
      { path: 'date', message: 'must be a day that exists, YYYY-MM-DD' },
    ]);
  }
}
