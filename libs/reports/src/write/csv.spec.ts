import type { DailyMailing } from '../content.js';
import { toCsv, withoutFormulas } from './csv.js';

const mailing = (name: string): DailyMailing => ({
  id: 7,
  name,
  status: 'running',
  ...{ sent: 3, failed: 1, expired: 0, cancelled: 0, unknown: 0, pending: 2, total: 6 },
});

describe('the attached table', () => {
  it('is for the spreadsheets of the language: what ends a cell, and the decimal point', () => {
    const lines = (language: 'en' | 'ru') => toCsv([mailing('a, b; c')], language).split('\r\n');
    expect(lines('en')).toEqual([
      '\uFEFFmailing_id,name,status,sent,failed,expired,cancelled,unknown,pending,total,success_rate',
      '7,"a, b; c",running,3,1,0,0,0,2,6,0.7500',
      '',
    ]);
    expect(lines('ru')).toEqual([
      '\uFEFFmailing_id;name;status;sent;failed;expired;cancelled;unknown;pending;total;success_rate',
      '7;"a, b; c";running;3;1;0;0;0;2;6;0,7500',
      '',
    ]);
  });

  it.each(['en', 'ru'] as const)('calculates in no spreadsheet, in %s', (language) => {
    const name = 'x;=1+1,@SUM(1)"; -2+3|cmd\t+4\n"=5"\r＝6 \u00a0= 7';
    const csv = toCsv([mailing(name)], language);
    // Taken apart at whatever may end a cell, with or without respect for quotes.
    for (const cell of csv.split(/[,;|\t\r\n]/))
      expect(cell.replaceAll(/[\s"]/g, '')).not.toMatch(/^[=+\-@＝]/);
    expect(csv).toContain("x;'=1+1");
  });
});

describe('a name without formulas', () => {
  it.each([
    ['=HYPERLINK("http://evil";"click")', `'=HYPERLINK("http://evil";"click")`],
    ['  =1', "  '=1"],
    ['a;=1', "a;'=1"],
    ['a;"=1"', `a;"'=1"`],
    ['Sale', 'Sale'],
    ['1+1=2', '1+1=2'],
    ['Весна: скидки до -50%', 'Весна: скидки до -50%'],
  ])('of %p is %p', (name, expected) => {
    expect(withoutFormulas(name)).toBe(expected);
  });

  it('is made in one look at each character', () => {
    expect(withoutFormulas('\t'.repeat(200_000))).toHaveLength(200_000);
  });
});
