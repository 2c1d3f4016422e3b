import type { ReportSettings } from '../settings.js';
import type { Format } from './format.js';
import type { Words } from './words.js';

export interface Rendered {
  /** One line. */
  subject: string;
  html: string;
  text: string;
}

/** What every template needs. */
export interface Context {
  words: Words;
  format: Format;
  settings: ReportSettings;
  /** Small print. */
  footer: string[];
}
