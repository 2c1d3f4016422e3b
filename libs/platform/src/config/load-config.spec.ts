import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, isSet, loadConfig } from './load-config.js';
import type { Variable } from './environment.js';

const GOOD = {
  DATABASE_URL: 'postgres://localhost/posthorn',
  NOTIFICATION_API_URL: 'https://provider.example.com/v1',
  NOTIFICATION_API_TOKEN: 'token',
};

function faultsOf(variables: Variable[], source: Record<string, string>): Record<string, string> {
  try {
    loadConfig(variables, source);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return Object.fromEntries(error.faults.map(({ variable, message }) => [variable, message]));
  }
  return {};
}

describe('the settings', () => {
  it('say of a wrong value what is wrong, and of a missing one that it is missing', () => {
    const variables: Variable[] = [
      'DATABASE_URL',
      'API_PORT',
      'WORKER_PORT',
      'NOTIFICATION_API_URL',
      'NOTIFICATION_API_RATE',
      'DELIVERY_CONCURRENCY',
      'SERVER_TIMEZONE',
      'LOG_LEVEL',
    ];
    const source = {
      API_PORT: 'abc',
      WORKER_PORT: '70000',
      NOTIFICATION_API_URL: 'ftp://a',
      NOTIFICATION_API_RATE: '0',
      DELIVERY_CONCURRENCY: '',
      SERVER_TIMEZONE: 'Mars/Olympus',
      LOG_LEVEL: 'loud',
    };
    expect(faultsOf(variables, source)).toEqual({
      DATABASE_URL: 'is required and not set',
      API_PORT: 'must be a whole number from 0 to 65535',
      WORKER_PORT: 'must be a whole number from 0 to 65535',
      NOTIFICATION_API_URL: 'must be a URL that starts with http:// or https://',
      NOTIFICATION_API_RATE: 'must be a number above 0 and at most 100000',
      SERVER_TIMEZONE: 'must be an IANA timezone',
      LOG_LEVEL: expect.stringContaining('"fatal"') as string,
    });
  });

  it.each(['1e3', '0x10', ' 8000', '8000.5', '-1', '१२'])(
    'take no other spelling of a number: %s',
    (API_PORT) => {
      expect(faultsOf(['API_PORT'], { API_PORT })).toHaveProperty('API_PORT');
    },
  );

  it('take numbers as they are', () => {
    const source = { ...GOOD, API_PORT: '0', NOTIFICATION_API_RATE: '12.5' };
    const config = loadConfig(['API_PORT', 'WORKER_PORT', 'NOTIFICATION_API_RATE'], source);
    expect(config).toEqual({ API_PORT: 0, WORKER_PORT: 8001, NOTIFICATION_API_RATE: 12.5 });
  });

  it.each([
    'change-me-before-anyone-else-does',
    'CHANGEME-CHANGEME',
    'x'.repeat(16),
    '0'.repeat(64),
  ])('take no placeholder for a secret: %s', (value) => {
    const message = expect.stringContaining('is a placeholder') as string;
    expect(
      faultsOf(['ADMIN_TOKEN', 'ENCRYPTION_KEY'], { ADMIN_TOKEN: value, ENCRYPTION_KEY: value }),
    ).toEqual({ ADMIN_TOKEN: message, ENCRYPTION_KEY: message });
  });

  it('never repeat a secret in what they say', () => {
    const secret = 'short-secret';
    const faults = faultsOf(['ADMIN_TOKEN', 'DATABASE_URL'], {
      ADMIN_TOKEN: secret,
      DATABASE_URL: `mysql://user:${secret}@localhost/a`,
    });
    expect(Object.keys(faults).sort()).toEqual(['ADMIN_TOKEN', 'DATABASE_URL']);
    expect(JSON.stringify(faults)).not.toContain(secret);
  });
});

describe('a secret in a file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-secrets-'));
  const SECRET = 'a secret of some length';
  const fileOf = (text: string) => {
    const file = join(folder, 'secret');
    writeFileSync(file, text);
    return file;
  };
  const isOf = (variable: Variable, start: string) => ({
    [`${variable}_FILE`]: expect.stringContaining(start) as string,
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it('is its first line', () => {
    const source = { ADMIN_TOKEN_FILE: fileOf(`${SECRET}\n`), ADMIN_TOKEN: '' };
    expect(loadConfig(['ADMIN_TOKEN'], source)).toEqual({ ADMIN_TOKEN: SECRET });
    expect(isSet('ADMIN_TOKEN', source)).toBe(true);
  });

  it('is checked like one in the variable itself', () => {
    const source = { ADMIN_TOKEN_FILE: fileOf('short') };
    expect(faultsOf(['ADMIN_TOKEN'], source)).toEqual({
      ADMIN_TOKEN: 'must have at least 16 characters',
    });
  });

  it('is named when it cannot be read, is empty, or stands beside the variable', () => {
    const unread = { ...GOOD, NOTIFICATION_API_TOKEN: '', NOTIFICATION_API_TOKEN_FILE: folder };
    expect(faultsOf(['NOTIFICATION_API_TOKEN'], unread)).toEqual(
      isOf('NOTIFICATION_API_TOKEN', 'names a file that cannot be read: '),
    );
    expect(faultsOf(['ADMIN_TOKEN'], { ADMIN_TOKEN_FILE: fileOf('\n') })).toEqual(
      isOf('ADMIN_TOKEN', 'names a file whose first line is empty'),
    );
    const both = { ADMIN_TOKEN: SECRET, ADMIN_TOKEN_FILE: fileOf(SECRET) };
    expect(faultsOf(['ADMIN_TOKEN'], both)).toEqual(
      isOf('ADMIN_TOKEN', 'is set, and ADMIN_TOKEN too'),
    );
  });

  it('is none of a variable that holds no secret', () => {
    const source = { ...GOOD, NOTIFICATION_API_URL: '', NOTIFICATION_API_URL_FILE: fileOf('x') };
    expect(faultsOf(['NOTIFICATION_API_URL'], source)).toEqual({
      NOTIFICATION_API_URL: 'is required and not set',
    });
  });
});
