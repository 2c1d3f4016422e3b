import { Temporal } from 'temporal-polyfill';

/** When reports are due: `HH:MM` by the wall clock of a timezone (IANA). */
export interface ReportTime {
  time: string;
  timezone: string;
}

/** `[from, to)` */
export interface Period {
  from: Date;
  to: Date;
}

/** A report that is later than this many days is of no use to anybody. */
const MOST_DAYS_LATE = 7;

/**
 * What the report of a date covers as long as the settings stay as they are: from the report time on
 * the day before to the report time on the date itself. That is 23 or 25 hours where the clock was changed in between. A report time that
 * the wall clock skips comes later by the length of the gap; of one that it shows twice the first
 * counts.
 *
 * @param date `YYYY-MM-DD`
 */
export function periodOf(date: string, { time, timezone }: ReportTime): Period {
  const at = (day: Temporal.PlainDate) =>
    dateOf(day.toZonedDateTime({ timeZone: timezone, plainTime: Temporal.PlainTime.from(time) }));
  const day = Temporal.PlainDate.from(date);
  return { from: at(day.subtract({ days: 1 })), to: at(day) };
}

/** The day up to `now`, as long as days are there: since the same wall-clock time of yesterday. */
export function lastDay(now: Date, timezone: string): Period {
  return { from: dateOf(local(now, timezone).subtract({ days: 1 })), to: now };
}

/** The day before a period, for comparison: its calendar day, not 24 hours. */
export function periodBefore({ from }: Period, timezone: string): Period {
  return { from: dateOf(local(from, timezone).subtract({ days: 1 })), to: from };
}

/** `YYYY-MM-DD` in the timezone. */
export function localDate(instant: Date, timezone: string): string {
  return local(instant, timezone).toPlainDate().toString();
}

/** Whether it is that date anywhere on Earth: a caller may mean "today" in another timezone. */
export function isTodaySomewhere(date: string, now: Date): boolean {
  return localDate(now, 'Etc/GMT+12') <= date && date <= localDate(now, 'Etc/GMT-14');
}

/**
 * The dates whose report is due at `now`, oldest first: reports from before `since` nobody waits
 * for, nor for those that are more than a week late.
 */
export function dueDates(since: Date, now: Date, when: ReportTime): string[] {
  const today = local(now, when.timezone).toPlainDate();
  return Array.from({ length: MOST_DAYS_LATE + 1 }, (_, days) =>
    today.subtract({ days: MOST_DAYS_LATE - days }).toString(),
  ).filter((date) => {
    const { to } = periodOf(date, when);
    return to > since && to <= now;
  });
}

/** The date whose report time passed last. */
export function latestDue(now: Date, when: ReportTime): string {
  const today = local(now, when.timezone).toPlainDate();
  const passed = periodOf(today.toString(), when).to <= now;
  return (passed ? today : today.subtract({ days: 1 })).toString();
}

function local(instant: Date, timezone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(instant.getTime()).toZonedDateTimeISO(timezone);
}

function dateOf(moment: Temporal.ZonedDateTime): Date {
  return new Date(moment.epochMilliseconds);
}
