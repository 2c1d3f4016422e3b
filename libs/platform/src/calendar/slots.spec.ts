import fc from 'fast-check';
import { nextSlot, UnknownTimezoneError, type MailingTimes, type Slot } from './slots.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Each zone with moments around which its clocks were changed (or with any moment, if never). */
const CHANGES: [zone: string, ...moments: string[]][] = [
  ['Europe/Moscow', '2026-06-01T00:00Z', '2014-10-25T22:00Z', '2011-03-26T23:00Z'],
  ['Europe/Berlin', '2026-03-29T01:00Z', '2026-10-25T01:00Z'],
  ['Europe/Dublin', '2026-03-29T01:00Z', '2026-10-25T01:00Z'],
  ['America/New_York', '2026-03-08T07:00Z', '2026-11-01T06:00Z'],
  ['America/St_Johns', '2010-03-14T03:31Z', '2010-11-07T02:31Z'], // at 00:01
  ['America/Caracas', '2016-05-01T07:00Z', '2007-12-09T07:00Z'], // by half an hour, for good
  ['America/Sao_Paulo', '2018-11-04T03:00Z', '2019-02-17T02:00Z'], // at midnight
  ['Australia/Lord_Howe', '2026-04-04T15:00Z', '2026-10-03T15:30Z'], // by half an hour
  ['Asia/Kathmandu', '2026-03-29T01:00Z', '1985-12-31T18:30Z'], // by a quarter
  ['Asia/Kolkata', '2026-03-29T01:00Z'],
  ['Asia/Pyongyang', '2015-08-14T15:00Z', '2018-05-04T15:00Z'],
  ['Pacific/Apia', '2011-12-30T10:00Z', '2012-03-31T14:00Z'], // a day that did not exist
  ['Pacific/Kiritimati', '1994-12-31T10:00Z'],
  ['Pacific/Kwajalein', '1993-08-21T12:00Z'],
  ['Africa/Cairo', '2026-04-23T22:00Z', '2026-10-29T21:00Z'], // at midnight
  ['Africa/Casablanca', '2026-02-15T02:00Z', '2026-03-22T02:00Z'],
  ['Antarctica/Troll', '2026-03-29T01:00Z', '2026-10-25T01:00Z'], // by two hours
  ['Asia/Tehran', '2022-03-21T20:30Z', '2022-09-21T19:30Z'],
  ['Etc/GMT+12', '2026-03-29T01:00Z'],
  ['UTC', '2026-03-29T01:00Z'],
];

const clocks = new Map<string, Intl.DateTimeFormat>();

/** What a clock on a wall in `zone` shows, `HH:MM`. */
function wallClock(zone: string, instant: number): string {
  let clock = clocks.get(zone);
  if (!clock) {
    clock = new Intl.DateTimeFormat('en-GB', {
      timeZone: zone,
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    });
    clocks.set(zone, clock);
  }
  return clock.format(instant);
}

/** Date and time on that wall, as if they were UTC, in ms. */
function localTime(zone: string, moment: string, earlier = 0): number {
  const text = new Intl.DateTimeFormat('sv-SE', {
    timeZone: zone,
    dateStyle: 'short',
    timeStyle: 'medium',
  }).format(Date.parse(moment) - earlier);
  return Date.parse(`${text.replace(' ', 'T')}Z`);
}

function isAllowed(window: MailingTimes['window'], zone: string, instant: number): boolean {
  if (!window || window.from === window.to) return true;
  const now = wallClock(window.timezone === 'client' ? zone : window.timezone, instant);
  const { from, to } = window;
  return from < to ? from <= now && now < to : from <= now || now < to;
}

/** The slow and obvious answer: look at the wall clock in every minute from start to end. */
function slowNextSlot(mailing: MailingTimes, zone: string, after: Date): Slot | null {
  const start = mailing.startAt.getTime();
  const end = mailing.endAt.getTime();
  let opened: number | undefined;
  for (let minute = start - (start % MINUTE); minute < end; minute += MINUTE) {
    if (isAllowed(mailing.window, zone, minute)) {
      opened ??= Math.max(minute, start);
    } else if (opened !== undefined) {
      if (minute > after.getTime()) return slot(opened, minute);
      opened = undefined;
    }
  }
  return opened !== undefined && end > after.getTime() ? slot(opened, end) : null;
}

const slot = (opens: number, closes: number): Slot => ({
  opensAt: new Date(opens),
  closesAt: new Date(closes),
});

const edge = fc
  .oneof(
    fc.nat(1439),
    fc.nat(24 * 4 - 1).map((quarter) => quarter * 15),
    fc.constant(0),
  )
  .map((m) => `${String(Math.floor(m / 60)).padStart(2, '0')}:${String(m % 60).padStart(2, '0')}`);

const moment = fc
  .constantFrom(...CHANGES)
  .chain(([zone, ...moments]) =>
    fc.record({ zone: fc.constant(zone), at: fc.constantFrom(...moments.map(Date.parse)) }),
  );

const situation = fc
  .record({
    moment,
    before: fc.integer({ min: 0, max: 52 * HOUR }),
    length: fc.oneof(fc.integer({ min: DAY, max: 5 * DAY }), fc.integer({ min: 1, max: 4 * DAY })),
    after: fc.double({ min: -0.2, max: 1.1, noNaN: true }),
    from: edge,
    to: edge,
    named: fc.boolean(),
    roundTo: fc.constantFrom(1, MINUTE, HOUR),
  })
  .map(({ moment: { zone, at }, before, length, after, from, to, named, roundTo }) => {
    const start = Math.floor((at - before) / roundTo) * roundTo;
    return {
      mailing: {
        startAt: new Date(start),
        endAt: new Date(start + Math.ceil(length / roundTo) * roundTo),
        window: { from, to, timezone: named ? zone : 'client' },
      },
      zone: named ? 'Pacific/Auckland' : zone,
      after: new Date(Math.floor(start + length * after)),
    };
  });

/** Slots of a mailing from `from` to `to` UTC, one after another, as `opens/closes` in UTC. */
function slots(zone: string, hours: string, from: string, to: string): string[] {
  const [opens = '', closes = ''] = hours.split('-');
  const window = { from: opens, to: closes, timezone: 'client' };
  const mailing = { startAt: new Date(from), endAt: new Date(to), window };
  const found: string[] = [];
  for (let after = new Date(0); ;) {
    const next = nextSlot(mailing, zone, after);
    if (!next) return found;
    found.push(
      `${next.opensAt.toISOString()}/${next.closesAt.toISOString()}`.replaceAll(':00.000Z', 'Z'),
    );
    after = next.closesAt;
  }
}

describe('nextSlot', () => {
  it('agrees with looking at the wall clock every minute', () => {
    fc.assert(
      fc.property(situation, ({ mailing, zone, after }) => {
        expect(nextSlot(mailing, zone, after)).toEqual(slowNextSlot(mailing, zone, after));
      }),
      { numRuns: 1_000 },
    );
  });

  it('is tested around moments in which clocks really were changed', () => {
    const unchanged = CHANGES.filter(([zone, ...moments]) =>
      moments.every((at) => localTime(zone, at) - localTime(zone, at, MINUTE) === MINUTE),
    );
    expect(unchanged.map(([zone]) => zone)).toEqual(['Asia/Kolkata', 'Etc/GMT+12', 'UTC']);
  });

  it('without a window is the mailing itself until its end', () => {
    const mailing = { startAt: new Date(1_000), endAt: new Date(2_000) };
    expect(nextSlot(mailing, 'nowhere', new Date(0))).toEqual(slot(1_000, 2_000));
    expect(nextSlot(mailing, 'nowhere', new Date(1_999))).toEqual(slot(1_000, 2_000));
    expect(nextSlot(mailing, 'nowhere', new Date(2_000))).toBeNull();
  });

  it('takes equal edges for the whole day', () => {
    const window = { from: '09:00', to: '09:00', timezone: 'client' };
    const mailing = { startAt: new Date(1_000), endAt: new Date(5 * DAY), window };
    expect(nextSlot(mailing, 'Europe/Moscow', new Date(0))).toEqual(slot(1_000, 5 * DAY));
  });

  it('does not exist when the mailing ends before it starts', () => {
    expect(
      nextSlot({ startAt: new Date(2_000), endAt: new Date(1_000) }, 'UTC', new Date(0)),
    ).toBeNull();
  });

  it('goes over midnight', () => {
    expect(slots('Europe/Moscow', '22:00-06:00', '2026-06-01T12:00Z', '2026-06-02T21:00Z')).toEqual(
      ['2026-06-01T19:00Z/2026-06-02T03:00Z', '2026-06-02T19:00Z/2026-06-02T21:00Z'],
    );
  });

  it('moves an opening inside a gap to the first instant after it', () => {
    expect(slots('Europe/Berlin', '02:30-04:00', '2026-03-29T00:00Z', '2026-03-30T00:00Z')).toEqual(
      ['2026-03-29T01:00Z/2026-03-29T02:00Z'],
    );
  });

  it('moves a closing inside a gap to its start', () => {
    expect(slots('Europe/Berlin', '01:00-02:30', '2026-03-29T00:00Z', '2026-03-30T00:00Z')).toEqual(
      ['2026-03-29T00:00Z/2026-03-29T01:00Z', '2026-03-29T23:00Z/2026-03-30T00:00Z'],
    );
  });

  it('does not open on a day whose gap holds the whole window', () => {
    expect(slots('Europe/Berlin', '02:15-02:45', '2026-03-28T00:00Z', '2026-03-30T12:00Z')).toEqual(
      ['2026-03-28T01:15Z/2026-03-28T01:45Z', '2026-03-30T00:15Z/2026-03-30T00:45Z'],
    );
  });

  it('opens twice when the overlap holds the whole window', () => {
    expect(slots('Europe/Berlin', '02:15-02:45', '2026-10-25T00:00Z', '2026-10-25T12:00Z')).toEqual(
      ['2026-10-25T00:15Z/2026-10-25T00:45Z', '2026-10-25T01:15Z/2026-10-25T01:45Z'],
    );
  });

  it('is one hour longer when it holds the whole overlap', () => {
    expect(slots('Europe/Berlin', '02:00-03:00', '2026-10-25T00:00Z', '2026-10-25T12:00Z')).toEqual(
      ['2026-10-25T00:00Z/2026-10-25T02:00Z'],
    );
  });

  it('joins two days when the closed hours of the night are skipped', () => {
    expect(slots('Europe/Berlin', '03:00-02:00', '2026-03-28T12:00Z', '2026-03-30T12:00Z')).toEqual(
      ['2026-03-28T12:00Z/2026-03-30T00:00Z', '2026-03-30T01:00Z/2026-03-30T12:00Z'],
    );
  });

  it('knows when a slot of almost two days opened', () => {
    const mailing = {
      startAt: new Date('2026-03-25T00:00Z'),
      endAt: new Date('2026-04-01T00:00Z'),
      window: { from: '03:00', to: '02:00', timezone: 'client' },
    };
    expect(nextSlot(mailing, 'Europe/Berlin', new Date('2026-03-29T23:59Z'))).toEqual(
      slot(Date.parse('2026-03-28T02:00Z'), Date.parse('2026-03-30T00:00Z')),
    );
  });

  it('skips a calendar day that did not exist', () => {
    expect(slots('Pacific/Apia', '09:00-10:00', '2011-12-29T10:00Z', '2011-12-31T00:00Z')).toEqual([
      '2011-12-29T19:00Z/2011-12-29T20:00Z',
      '2011-12-30T19:00Z/2011-12-30T20:00Z',
    ]);
  });

  it('goes by the named zone whatever the client has', () => {
    const mailing = {
      startAt: new Date('2026-06-01T00:00Z'),
      endAt: new Date('2026-06-03T00:00Z'),
      window: { from: '09:00', to: '18:00', timezone: 'Asia/Kathmandu' },
    };
    expect(nextSlot(mailing, 'nowhere', mailing.startAt)).toEqual(
      slot(Date.parse('2026-06-01T03:15Z'), Date.parse('2026-06-01T12:15Z')),
    );
  });

  it('finds the next slot of a mailing that has been running for years', () => {
    const mailing = {
      startAt: new Date('2020-01-01T00:00Z'),
      endAt: new Date('2036-01-01T00:00Z'),
      window: { from: '10:00', to: '11:00', timezone: 'client' },
    };
    for (const after of ['2035-07-01T08:30Z', '2021-01-01T08:30Z', '2026-07-01T08:30Z']) {
      const expected = after.includes('-01-01')
        ? slot(Date.parse('2021-01-01T09:00Z'), Date.parse('2021-01-01T10:00Z'))
        : slot(Date.parse(after) - HOUR / 2, Date.parse(after) + HOUR / 2);
      expect(nextSlot(mailing, 'Europe/Berlin', new Date(after))).toEqual(expected);
    }
  });

  it.each(['9:00', '24:00', '09:60', '', '09:00:00'])('refuses %p as an edge', (from) => {
    const window = { from, to: '18:00', timezone: 'client' };
    const mailing = { startAt: new Date(0), endAt: new Date(DAY), window };
    expect(() => nextSlot(mailing, 'UTC', new Date(0))).toThrow(RangeError);
  });

  it('names the unknown zone in its error', () => {
    const window = { from: '09:00', to: '18:00', timezone: 'client' };
    const mailing = { startAt: new Date(0), endAt: new Date(DAY), window };
    const unknown = new UnknownTimezoneError('Mars/Olympus');
    expect(() => nextSlot(mailing, 'Mars/Olympus', new Date(0))).toThrow(unknown);
    expect(unknown).toBeInstanceOf(RangeError);
    expect(unknown.zone).toBe('Mars/Olympus');
  });

  it.each(['', '+03:00', '2026-01-01T00:00Z', 'T0000Z', 'Mars/Olympus', 'Europe/Moscow '])(
    'takes %p for no zone',
    (zone) => {
      const window = { from: '09:00', to: '18:00', timezone: 'client' };
      const mailing = { startAt: new Date(0), endAt: new Date(DAY), window };
      expect(() => nextSlot(mailing, zone, new Date(0))).toThrow(UnknownTimezoneError);
    },
  );
});
