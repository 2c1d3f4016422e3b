import type { Ending } from '../content.js';
import type { ReportLanguage } from '../settings.js';
import { en } from './words.en.js';
import { ru } from './words.ru.js';

/** Forms of a noun by CLDR plural category; `other` replaces those that a language lacks. */
export interface Forms {
  one: string;
  few?: string;
  many?: string;
  other: string;
}

/** All texts of reports. */
export interface Words {
  daily: string;
  completion: string;
  alert: string;
  sent: string;
  failed: string;
  expired: string;
  cancelled: string;
  unknown: string;
  pending: string;
  success: string;
  total: string;
  messages: Forms;
  mailings: Forms;
  attempts: Forms;
  /** Abbreviated. */
  units: { hours: string; minutes: string; seconds: string };
  mailing: string;
  statuses: Record<string, string>;
  endings: Record<Ending, string>;
  sentSummary: (messages: string, share: string) => string;
  sentOf: (sent: string, total: string) => string;
  theDayBefore: string;
  /** Percentage points. */
  points: string;
  /** `Sent of 1,200 messages` */
  outOf: (messages: string) => string;
  reasons: string;
  reason: string;
  /** Why an attempt failed or a breaker opened, by its code. */
  codes: Record<string, string>;
  /** Of the codes `http_503` and the like. */
  httpAnswer: (status: string) => string;
  attemptsTitle: string;
  nothing: string;
  /** Mailings that are not listed. */
  more: (count: string) => string;
  legend: string;
  legendTakenBack: string;
  open: string;
  openMailing: string;
  period: (from: string, to: string, timezone: string) => string;
  started: string;
  ended: string;
  took: string;
  footer: string;
  possibleDuplicate: string;
  errorRate: (share: string, name: string) => string;
  errorRateText: (bad: string, attempts: string, minutes: string, threshold: string) => string;
  errorRateNext: string;
  breakerOpen: (channel: string) => string;
  breakerOpenText: (since: string) => string;
  breakerOpenNext: string;
  breakerOpenByHandNext: string;
  breakerClosed: (channel: string) => string;
  breakerClosedText: (from: string, to: string) => string;
  breakerClosedNext: string;
  tokenExpires: (channel: string, when: string) => string;
  tokenExpired: (channel: string) => string;
  tokenText: (when: string) => string;
  tokenNext: string;
}

const LANGUAGES: Record<ReportLanguage, Words> = { en, ru };

export function wordsOf(language: ReportLanguage): Words {
  return LANGUAGES[language];
}

/** The form of a noun that belongs to a number. */
export function formOf(language: ReportLanguage, count: number, forms: Forms): string {
  const category = new Intl.PluralRules(language).select(count);
  if (category === 'one' || category === 'few' || category === 'many') {
    return forms[category] ?? forms.other;
  }
  return forms.other;
}
