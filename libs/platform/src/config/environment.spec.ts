import { loadConfig } from './load-config.js';
import type { Variable } from './environment.js';

/** What a process gets for one variable; the fault's words where it does not start. */
function read(variable: Variable, value: string): unknown {
  try {
    return loadConfig([variable], { [variable]: value })[variable];
  } catch (error) {
    return (error as Error).message.split('\n')[1]?.trim();
  }
}

describe('the value of a setting', () => {
  it.each<[Variable, string, unknown]>([
    ['API_PORT', '8000', 8_000],
    ['API_PORT', '0', 0],
    ['DELIVERY_CONCURRENCY', '2000', 2_000],
    ['NOTIFICATION_API_RATE', '0.5', 0.5],
    ['NOTIFICATION_API_RATE', '100000', 100_000],
    ['ALERT_ERROR_RATE', '0.2', 0.2],
    ['ALERT_ERROR_RATE', '20%', 0.2],
    ['ALERT_ERROR_RATE', '100 %', 1],
    ['SERVER_TIMEZONE', 'asia/calcutta', 'Asia/Kolkata'],
    ['PUBLIC_URL', 'https://mail.example.com///', 'https://mail.example.com'],
    ['REPORT_TIME', '23:59', '23:59'],
    ['REPORT_RECIPIENTS', ' A@Example.com,b@example.com\n', ['A@example.com', 'b@example.com']],
    ['DATABASE_URL', 'postgresql://h/db', 'postgresql://h/db'],
    ['QUEUE_URL', 'rediss://h', 'rediss://h'],
    ['LOG_LEVEL', 'silent', 'silent'],
  ])('of %s may be %j', (variable, value, wanted) => {
    expect(read(variable, value)).toEqual(wanted);
  });

  it.each<[Variable, string]>([
    ['API_PORT', '65536'],
    ['DELIVERY_CONCURRENCY', '0'],
    ['DELIVERY_CONCURRENCY', '2001'],
    ['NOTIFICATION_API_RATE', '0'],
    ['NOTIFICATION_API_RATE', '100001'],
    ['NOTIFICATION_API_RATE', '-1'],
    ['ALERT_ERROR_RATE', '0'],
    ['ALERT_ERROR_RATE', '101%'],
    ['SERVER_TIMEZONE', 'Mars/Olympus'],
    ['PUBLIC_URL', 'ftp://example.com'],
    ['REPORT_TIME', '24:00'],
    ['REPORT_LANGUAGE', 'de'],
    ['DATABASE_URL', 'mysql://h/db'],
    ['DATABASE_URL', 'db'],
    ['QUEUE_URL', 'http://h'],
    ['SMTP_URL', 'https://h'],
    ['LOG_LEVEL', 'loud'],
  ])('of %s is not %j, and the variable is named', (variable, value) => {
    expect(read(variable, value)).toMatch(new RegExp(`^${variable}: \\S`));
  });

  it('is the default where the variable is empty or not there', () => {
    expect(loadConfig(['API_PORT', 'REPORT_LANGUAGE'], { API_PORT: '' })).toEqual({
      API_PORT: 8_000,
      REPORT_LANGUAGE: 'en',
    });
  });

  it('is not looked at where the process does not need it', () => {
    expect(loadConfig(['API_PORT'], { BEAT_PORT: 'x', DATABASE_URL: 'y' })).toEqual({
      API_PORT: 8_000,
    });
  });

  it('may be missing where it is optional, and is checked where it is there', () => {
    expect(loadConfig([], {}, ['NOTIFICATION_API_TOKEN'])).toEqual({});
    expect(() => loadConfig([], { SMTP_URL: 'x' }, ['SMTP_URL'])).toThrow('SMTP_URL');
  });
});
