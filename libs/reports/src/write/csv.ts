import { stringify } from 'csv-stringify/sync';
import { type DailyMailing, successRate } from '../content.js';
import type { ReportLanguage } from '../settings.js';

/** What the spreadsheets of a language's readers take for the end of a cell, and for a decimal point. */
const SPREADSHEETS: Record<ReportLanguage, { delimiter: string; point: string }> = {
  en: { delimiter: ',', point: '.' },
  ru: { delimiter: ';', point: ',' },
};

const BEGINS_FORMULA = new Set('=+-@\uFF1D\uFF0B\uFF0D\uFF20');
const ENDS_CELL = new Set(',;|\t\r\n');

const COLUMNS = [
  { key: 'id', header: 'mailing_id' },
  ...['name', 'status', 'sent', 'failed', 'expired', 'cancelled', 'unknown', 'pending', 'total']
    .concat('success_rate')
    .map((key) => ({ key })),
];

/**
 * A line per mailing, for the spreadsheets of the language's readers. The byte order mark is for
 * them too: without it they take UTF-8 for something else.
 */
export function toCsv(mailings: readonly DailyMailing[], language: ReportLanguage): string {
  const { delimiter, point } = SPREADSHEETS[language];
  const rows = mailings.map((mailing) => ({
    ...mailing,
    name: withoutFormulas(mailing.name),
    status: withoutFormulas(mailing.status),
    success_rate: successRate(mailing)?.toFixed(4).replace('.', point) ?? '',
  }));
  return stringify(rows, {
    header: true,
    bom: true,
    delimiter,
    record_delimiter: 'windows',
    columns: COLUMNS,
  });
}

/**
 * A name must not be a formula in a spreadsheet. What begins a formula gets an
 * apostrophe, at the beginning and behind everything that some spreadsheet takes for the end of a
 * cell: with other settings than ours it splits a quoted one too.
 */
export function withoutFormulas(text: string): string {
  let result = '';
  let begins = true; // a cell, or what some spreadsheet takes for one
  for (const character of text) {
    if (begins && BEGINS_FORMULA.has(character)) result += "'";
    result += character;
    begins = ENDS_CELL.has(character) || (begins && /[\s"']/.test(character));
  }
  return result;
}
