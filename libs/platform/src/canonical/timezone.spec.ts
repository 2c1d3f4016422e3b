import { CANONICAL_TIMEZONES, canonicalTimezone } from './timezone.js';
import { TIMEZONE_RELEASE } from './timezone-names.js';

describe('the canonical name of a timezone', () => {
  it.each([
    ['Europe/Moscow', 'Europe/Moscow'],
    ['europe/moscow', 'Europe/Moscow'],
    [' EUROPE/MOSCOW\n', 'Europe/Moscow'],
    ['W-SU', 'Europe/Moscow'],
    ['Asia/Calcutta', 'Asia/Kolkata'],
    ['asia/kolkata', 'Asia/Kolkata'],
    ['Europe/Kiev', 'Europe/Kyiv'],
    ['Europe/Zaporozhye', 'Europe/Kyiv'],
    ['Asia/Saigon', 'Asia/Ho_Chi_Minh'],
    ['Asia/Rangoon', 'Asia/Yangon'],
    ['Asia/Katmandu', 'Asia/Kathmandu'],
    ['America/Godthab', 'America/Nuuk'],
    ['America/Buenos_Aires', 'America/Argentina/Buenos_Aires'],
    ['US/Eastern', 'America/New_York'],
    ['Iceland', 'Atlantic/Reykjavik'],
    ['UTC', 'Etc/UTC'],
    ['gmt', 'Etc/GMT'],
    ['Etc/GMT+3', 'Etc/GMT+3'],
    ['Europe/Amsterdam', 'Europe/Amsterdam'],
    ['Europe/Bratislava', 'Europe/Bratislava'],
  ])('of %j is %j', (name, canonical) => {
    expect(canonicalTimezone(name)).toBe(canonical);
    expect(canonicalTimezone(canonical)).toBe(canonical);
  });

  it.each([
    '',
    'Mars/Olympus',
    '+03:00',
    'MSK',
    'PST',
    'IST',
    'UTC+3',
    'Factory',
    'client',
    'Europe/Moscow\u0000',
    'Asia/\u212Aolkata',
    'constructor',
    'a'.repeat(1_000),
  ])('is not of %j', (name) => {
    expect(canonicalTimezone(name)).toBeNull();
  });

  it('is known for every timezone of the runtime, under one name for all aliases', () => {
    const unknown = Intl.supportedValuesOf('timeZone').filter(
      (zone) => !CANONICAL_TIMEZONES.has(zone.toLowerCase()),
    );
    expect(unknown).toEqual([]);
    for (const name of CANONICAL_TIMEZONES.values()) expect(canonicalTimezone(name)).toBe(name);
    expect(TIMEZONE_RELEASE).toMatch(/^20\d\d[a-z]$/);
  });

  it('shows the same time as the alias does', () => {
    const moments = ['2026-01-15T12:00:00Z', '2026-07-15T12:00:00Z'].map((at) => new Date(at));
    const clocks = (timeZone: string) =>
      moments.map((moment) =>
        new Intl.DateTimeFormat('en', { timeZone, dateStyle: 'short', timeStyle: 'short' }).format(
          moment,
        ),
      );
    for (const [alias, name] of CANONICAL_TIMEZONES) {
      expect([alias, clocks(alias)]).toEqual([alias, clocks(name)]);
    }
  });
});
