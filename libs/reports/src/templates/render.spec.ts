import type { DailyContent, ReportContent } from '../content.js';
import { REPORT_LANGUAGES, type ReportLanguage } from '../settings.js';
import { Format } from './format.js';
import { html, oneLine } from './html.js';
import { render } from './render.js';
import { formOf, wordsOf } from './words.js';

const EVIL = `<script>alert("1")</script>\r\nBcc: victim@example.com & 'so on'`;
const activity = { sent: 8, failed: 1, expired: 0, cancelled: 0, unknown: 1 };
const reasons = [{ code: EVIL, attempts: 2, detail: EVIL }];
const mailing = { id: 7, name: EVIL };
const at = '2030-07-01T10:05:00.000Z';

const daily: DailyContent = {
  kind: 'daily',
  date: '2030-07-02',
  from: '2030-07-01T06:00:00.000Z',
  to: '2030-07-02T06:00:00.000Z',
  totals: { mailings: 1, pending: 3, ...activity },
  before: { mailings: 1, ...activity, sent: 5 },
  mailings: [{ ...mailing, status: 'running', pending: 3, total: 13, ...activity }],
  unlisted: 0,
  reasons,
};
const contents: ReportContent[] = [
  daily,
  {
    kind: 'completion',
    mailing,
    ending: 'cancelled',
    startAt: at,
    endAt: at,
    finishedAt: '2030-07-01T12:10:00.000Z',
    total: 10,
    counts: { ...activity, pending: 0, sending: 0 },
    reasons,
  },
  { kind: 'error_rate', mailing, at, minutes: 5, attempts: 100, bad: 31, threshold: 0.2, reasons },
  { kind: 'breaker_open', channel: EVIL, openedAt: at, at, reason: EVIL },
  { kind: 'breaker_open', channel: EVIL, openedAt: at, at, reason: EVIL, byHand: true },
  { kind: 'breaker_closed', channel: EVIL, openedAt: at, at, reason: null },
  { kind: 'token_expiry', channel: EVIL, at, expiresAt: '2030-07-03T10:00:00.000Z' },
];

function inLanguage(content: ReportContent, language: ReportLanguage, possibleDuplicate = false) {
  const settings = {
    language,
    timezone: 'Europe/Moscow',
    time: '09:00',
    recipients: [],
    publicUrl: 'https://posthorn.example.com',
  };
  return render(content, settings, { possibleDuplicate });
}

const cases = REPORT_LANGUAGES.flatMap((language) =>
  contents.map((content) => [language, content.kind, content] as const),
);

describe.each(cases)('a report in %s: %s', (language, kind, content) => {
  const { subject, html: page, text } = inLanguage(content, language);

  it('lets nothing out of a name, a reason or a channel', () => {
    expect(page).not.toContain('<script');
    expect(page).toContain('&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;');
    expect(subject).not.toMatch(/[\r\n]/);
    expect(text).not.toMatch(/^Bcc:/m);
  });

  it('says the same in its plain text', () => {
    const readable = page
      .replace(/<style>.*?<\/style>/s, '')
      .replaceAll(/<[^<>]*>/g, ' ')
      .replaceAll(/&[a-z#0-9]+;/g, ' ');
    const numbers = (from: string) => from.match(/\d+/g) ?? [];
    expect(numbers(readable)).toEqual(
      expect.arrayContaining(numbers(text.replaceAll(/https:\S+/g, ''))),
    );
    const url = /https:\/\/posthorn\.example\.com\/admin\/\S*/.exec(text)?.[0];
    expect(page).toContain(`href="${url ?? 'no link'}"`);
  });

  it('is in its language throughout', () => {
    const ours = `${subject}\n${text}`
      .replaceAll(EVIL.slice(0, 27), '')
      .replaceAll(/https:\S+/g, '');
    const cyrillic = /\p{Script=Cyrillic}/u;
    expect([kind, cyrillic.test(ours)]).toEqual([kind, language === 'ru']);
    expect(page).toContain(`<html lang="${language}">`);
  });

  it('admits in both forms that it may be a second copy, and only then', () => {
    const { possibleDuplicate } = wordsOf(language);
    const again = inLanguage(content, language, true);
    expect(again.html).toContain(possibleDuplicate);
    expect(again.text).toContain(possibleDuplicate);
    expect(page).not.toContain(possibleDuplicate);
    expect(text).not.toContain(possibleDuplicate);
  });
});

describe('codes', () => {
  it('have words in each language, and stay as they are without a text', () => {
    const [first, ...others] = REPORT_LANGUAGES.map((language) =>
      Object.keys(wordsOf(language).codes),
    );
    for (const other of others) expect(other).toEqual(first);
    const mail = (code: string, language: ReportLanguage) =>
      inLanguage(
        { kind: 'breaker_open', channel: 'notification', openedAt: at, at, reason: code },
        language,
      ).text;
    expect(mail('http_503', 'en')).toContain('the provider answered 503 (http_503)');
    expect(mail('timeout', 'ru')).toContain('ответ не пришёл вовремя (timeout)');
    expect(mail('toString', 'ru')).toMatch(/^toString$/m);
  });
});

describe('figures', () => {
  it('never round up to success', () => {
    const english = new Format('en', 'UTC');
    expect(english.percent(1)).toBe('100%');
    expect(english.percent(0.99999)).toBe('99.9%');
    expect(english.percent(0.29)).toBe('29%');
    expect(english.percent(null)).toBe('—');
  });

  it('below zero are explained, and count for nothing in the success', () => {
    const failed = { ...activity, sent: 10, failed: -1, unknown: 0 };
    const report = inLanguage({ ...daily, totals: { ...daily.totals, ...failed } }, 'en');
    expect(report.text).toMatch(/Failed +-1 /);
    expect(report.text).toMatch(/Success +100% /);
    for (const part of [report.text, report.html]) {
      expect(part).toContain('A figure below zero: that many were counted so in an earlier report');
      expect(inLanguage(daily, 'en').text).not.toContain('below zero');
    }
  });

  it('agree with their nouns', () => {
    const { messages } = wordsOf('ru');
    const forms = [1, 2, 5, 11, 21, 112].map((count) => formOf('ru', count, messages));
    expect(forms).toEqual([
      'сообщение',
      'сообщения',
      'сообщений',
      'сообщений',
      'сообщение',
      'сообщений',
    ]);
    expect(formOf('en', 1, wordsOf('en').messages)).toBe('message');
  });

  it('give durations and times as people say them', () => {
    const russian = new Format('ru', 'Asia/Kolkata');
    const { units } = wordsOf('ru');
    expect(russian.duration(400, units)).toBe('1 с');
    expect(russian.duration(3_600_000, units)).toBe('1 ч');
    expect(russian.duration(7_500_000, units)).toBe('2 ч 5 мин');
    expect(russian.moment('2030-07-01T20:00:00Z')).toBe('2 июля в 01:30');
  });
});

describe('html', () => {
  it('escapes what is put in, in text and in attributes, and takes its own pieces as they are', () => {
    const inner = html`<b>${'a & b'}</b>`;
    expect(html`<a title="${'" onclick="x'}">${inner}${[1, null, false, "'"]}</a>`.text).toBe(
      '<a title="&quot; onclick=&quot;x"><b>a &amp; b</b>1&#39;</a>',
    );
  });

  it('shortens by characters, not by halves of them', () => {
    expect(oneLine(' a\n\tb\u0000c ')).toBe('a b c');
    expect(oneLine('🎉🎉🎉🎉', 3)).toBe('🎉🎉…');
  });
});
