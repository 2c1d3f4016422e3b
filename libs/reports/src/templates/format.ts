import type { ReportLanguage } from '../settings.js';

const LOCALES: Record<ReportLanguage, string> = { en: 'en-GB', ru: 'ru-RU' };

/** Numbers and times as the reader writes them. Instants are ISO 8601, shares go from 0 to 1. */
export class Format {
  private readonly locale: string;

  constructor(
    language: ReportLanguage,
    private readonly timezone: string,
  ) {
    this.locale = LOCALES[language];
  }

  number(value: number): string {
    return new Intl.NumberFormat(this.locale).format(value);
  }

  /** `+1,200`, `−3`, `±0`. */
  change(value: number): string {
    if (value === 0) return '±0';
    return `${value > 0 ? '+' : '−'}${this.number(Math.abs(value))}`;
  }

  /** Rounded down: 100 % is all of it, nothing less. Null is a dash. */
  percent(share: number | null): string {
    if (share === null) return '—';
    return this.tenths(Math.floor(share * 1_000 + 1e-9) / 1_000);
  }

  tenths(share: number): string {
    return new Intl.NumberFormat(this.locale, {
      style: 'percent',
      maximumFractionDigits: 1,
    }).format(share);
  }

  /** `Tuesday, 1 July 2030`. @param date `YYYY-MM-DD` */
  day(date: string): string {
    const text = this.dates({ dateStyle: 'full', timeZone: 'UTC' }, `${date}T00:00:00Z`);
    return text.charAt(0).toLocaleUpperCase(this.locale) + text.slice(1);
  }

  /** `1 July 2030` */
  shortDay(date: string): string {
    return this.dates({ dateStyle: 'long', timeZone: 'UTC' }, `${date}T00:00:00Z`);
  }

  /** `1 July, 09:00` */
  moment(instant: string): string {
    const options = { day: 'numeric', month: 'long', hour: '2-digit', minute: '2-digit' } as const;
    return this.dates({ ...options, timeZone: this.timezone }, instant);
  }

  /** `2 h 5 min`; seconds only below a minute. @param ms milliseconds, above 0 */
  duration(ms: number, units: { hours: string; minutes: string; seconds: string }): string {
    const seconds = Math.max(1, Math.round(ms / 1_000));
    if (seconds < 60) return `${seconds} ${units.seconds}`;
    const minutes = Math.round(seconds / 60);
    const hours = Math.floor(minutes / 60);
    const rest = minutes % 60;
    return [
      ...(hours > 0 ? [`${this.number(hours)} ${units.hours}`] : []),
      ...(rest > 0 || hours === 0 ? [`${rest} ${units.minutes}`] : []),
    ].join(' ');
  }

  private dates(options: Intl.DateTimeFormatOptions, instant: string): string {
    return new Intl.DateTimeFormat(this.locale, options).format(new Date(instant));
  }
}
