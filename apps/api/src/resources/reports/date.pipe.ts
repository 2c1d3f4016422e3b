import { Injectable, type PipeTransform } from '@nestjs/common';
import { DomainError } from '@app/platform';

/** Long before there were reports. The calendar of the database knows no year 0. */
const FIRST_DAY = '2000-01-01';

/** The `{date}` of a path: a day that exists, `YYYY-MM-DD`, since 2000. Anything else is 400. */
@Injectable()
export class DatePipe implements PipeTransform<string, string> {
  transform(value: string): string {
    const day = /^\d{4}-\d\d-\d\d$/.test(value) ? new Date(`${value}T00:00:00Z`) : null;
    // The 31st of February is read as the 3rd of March.
    const exists = day && !Number.isNaN(day.getTime()) && day.toISOString().startsWith(value);
    if (!exists) throw refusal('must be a day that exists, YYYY-MM-DD');
    if (value < FIRST_DAY) throw refusal(`must be ${FIRST_DAY} or later`);
    return value;
  }
}

function refusal(message: string): DomainError {
  return new DomainError('invalid', 'The date in the path cannot be one of a report', [
    { path: 'date', message },
  ]);
}
