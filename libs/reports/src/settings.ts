import type { ReportTime } from './report-day.js';

export const REPORT_LANGUAGES = ['en', 'ru'] as const;
export type ReportLanguage = (typeof REPORT_LANGUAGES)[number];

/** How reports are written and to whom they go. */
export interface ReportSettings extends ReportTime {
  language: ReportLanguage;
  /** Of every report; may be none. */
  recipients: readonly string[];
  /** Where people reach the API, without a slash at its end: links lead there. */
  publicUrl: string;
}

/**
 * The time. Reports use the database's clock, like everything that beats must agree about; tests
 * stop it.
 */
export type Now = () => Promise<Date>;
