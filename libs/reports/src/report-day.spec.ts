import { dueDates, lastDay, latestDue, localDate, periodBefore, periodOf } from './report-day.js';

const hours = ({ from, to }: { from: Date; to: Date }) =>
  (to.getTime() - from.getTime()) / 3_600_000;
const at = (text: string) => new Date(text);
const moscow = { time: '09:00', timezone: 'Europe/Moscow' };
const berlin = { time: '09:00', timezone: 'Europe/Berlin' };

describe('the day of a report', () => {
  it('goes from one report time to the next by the wall clock of the server', () => {
    expect(periodOf('2030-07-02', moscow)).toEqual({
      from: at('2030-07-01T06:00:00Z'),
      to: at('2030-07-02T06:00:00Z'),
    });
  });

  it('has 23 hours when the clock goes forward and 25 when it goes back, and leaves no gap', () => {
    const forward = periodOf('2030-03-31', berlin);
    expect(forward).toEqual({ from: at('2030-03-30T08:00:00Z'), to: at('2030-03-31T07:00:00Z') });
    expect(hours(forward)).toBe(23);
    expect(periodOf('2030-03-30', berlin).to).toEqual(forward.from);
    expect(periodOf('2030-04-01', berlin).from).toEqual(forward.to);

    const back = periodOf('2030-10-27', berlin);
    expect(hours(back)).toBe(25);
    expect(hours(periodBefore(back, berlin.timezone))).toBe(24);
    expect(hours(periodBefore(periodOf('2030-10-28', berlin), berlin.timezone))).toBe(25);
  });

  it('ends once even when its report time is skipped or comes twice', () => {
    const night = { time: '02:30', timezone: 'Europe/Berlin' };
    // 02:00 becomes 03:00: 02:30 is not shown, 03:30 is its instant.
    expect(periodOf('2030-03-31', night).to).toEqual(at('2030-03-31T01:30:00Z'));
    expect(periodOf('2030-04-01', night).from).toEqual(at('2030-03-31T01:30:00Z'));
    // 03:00 becomes 02:00: 02:30 is shown at 00:30Z and again at 01:30Z.
    expect(periodOf('2030-10-27', night).to).toEqual(at('2030-10-27T00:30:00Z'));
    expect(dueDates(at('2030-10-26T12:00Z'), at('2030-10-27T01:45Z'), night)).toEqual([
      '2030-10-27',
    ]);
  });

  it('may also be the day up to now, by the wall clock', () => {
    expect(hours(lastDay(at('2030-03-31T12:00:00Z'), 'Europe/Berlin'))).toBe(23);
    expect(lastDay(at('2030-07-02T12:34:56Z'), 'Europe/Berlin').from).toEqual(
      at('2030-07-01T12:34:56Z'),
    );
  });
});

describe('what is due', () => {
  const since = at('2030-06-30T12:00:00Z');

  it('is nothing a moment before the report time and the report of the day at it', () => {
    expect(dueDates(since, at('2030-07-01T05:59:59.999Z'), moscow)).toEqual([]);
    expect(dueDates(since, at('2030-07-01T06:00:00Z'), moscow)).toEqual(['2030-07-01']);
  });

  it('is every day that was missed, oldest first', () => {
    expect(dueDates(since, at('2030-07-03T20:00:00Z'), moscow)).toEqual([
      '2030-07-01',
      '2030-07-02',
      '2030-07-03',
    ]);
  });

  it('is no day that is more than a week old, nor one from before there were reports', () => {
    const dates = dueDates(since, at('2030-08-15T20:00:00Z'), moscow);
    expect(dates).toHaveLength(8);
    expect(dates.at(0)).toBe('2030-08-08');
    expect(dates.at(-1)).toBe('2030-08-15');
    expect(dueDates(at('2030-07-01T06:00:00Z'), at('2030-07-01T07:00:00Z'), moscow)).toEqual([]);
  });

  it('was last today or yesterday, as the server counts days', () => {
    expect(latestDue(at('2030-07-01T05:59:00Z'), moscow)).toBe('2030-06-30');
    expect(latestDue(at('2030-07-01T06:00:00Z'), moscow)).toBe('2030-07-01');
    expect(localDate(at('2030-06-30T21:30:00Z'), 'Europe/Moscow')).toBe('2030-07-01');
  });
});
