import type { Queryable } from '@app/database';
import { createLogger, encrypt } from '@app/platform';
import { ProviderToken } from './provider-token.js';

describe('the provider token of a worker', () => {
  const [OLD, NEW] = ['an older passphrase', 'a newer passphrase'];
  let stored: Buffer | null;
  let isDatabaseAway: boolean;
  let token: ProviderToken;
  const db: Queryable = {
    // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- as Queryable has it
    query: <Row extends object>() =>
      isDatabaseAway
        ? Promise.reject(new Error('the database is away'))
        : Promise.resolve({ rows: [{ token: stored }] as unknown as Row[], rowCount: 1 }),
  };
  const open = (encryptionKey: string | undefined) =>
    (token = new ProviderToken({
      db,
      lane: { id: 1, name: 'notification' },
      fallback: 'of-the-environment',
      encryptionKey,
      logger: createLogger('test', 'silent'),
    }));

  beforeEach(() => {
    stored = null;
    isDatabaseAway = false;
  });

  it('is that of the environment until another one is stored', async () => {
    open(NEW);
    await token.refresh();
    expect(token.current).toBe('of-the-environment');
    stored = encrypt('stored', NEW);
    await token.refresh();
    expect(token.current).toBe('stored');
    stored = null;
    await token.refresh();
    expect(token.current).toBe('of-the-environment');
  });

  it('is opened by any key of the list', async () => {
    stored = encrypt('stored', OLD);
    open(`${NEW},${OLD}`);
    await token.refresh();
    expect(token.current).toBe('stored');
  });

  it.each([
    ['another key', NEW, /encrypted with the key [0-9a-f]{8}, which is not given/],
    ['no key', undefined, 'ENCRYPTION_KEY is not set'],
  ])('is none, neither stored nor old, when there is %s', async (_, key, reason) => {
    open(key);
    await token.refresh();
    expect(token.current).toBe('of-the-environment');
    stored = encrypt('stored', OLD);
    await token.refresh();
    expect(() => token.current).toThrow(reason);
  });

  it('is none before the database was asked, and stays as it is while that is away', async () => {
    open(NEW);
    isDatabaseAway = true;
    await expect(token.refresh()).rejects.toThrow('away');
    expect(() => token.current).toThrow('has not been read yet');
    isDatabaseAway = false;
    stored = encrypt('stored', NEW);
    await token.refresh();
    isDatabaseAway = true;
    await expect(token.refresh()).rejects.toThrow('away');
    expect(token.current).toBe('stored');
  });
});
