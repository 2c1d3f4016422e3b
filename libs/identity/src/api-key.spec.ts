import { systemClock } from '@app/platform';
import { createTestDatabase, type TestDatabase, someActor, unheard } from '@app/testkit';
import { fingerprintOf, hashOfKey, isKey, makeKey } from './api-key.js';
import { ApiKeyLookup } from './api-key-lookup.js';
import { ApiKeyService } from './api-key.service.js';

describe('API keys', () => {
  let database: TestDatabase;
  let lookup: ApiKeyLookup;
  let keys: ApiKeyService;
  let passedMs = 0;
  let names = 0;

  beforeAll(async () => {
    database = await createTestDatabase();
    const clock = { ...systemClock, monotonic: () => passedMs };
    lookup = new ApiKeyLookup(database, clock);
    keys = new ApiKeyService(database, lookup, unheard);
  });
  afterAll(() => database.drop());

  const make = async (expiresAt: Date | null = null) => {
    const name = `key ${++names}`;
    const { key, stored } = await keys.create(someActor, { name, role: 'viewer', expiresAt });
    return { key, id: stored.id, name };
  };
  /** As another process revokes: nothing tells the lookup. */
  const revokeElsewhere = (id: number) =>
    database.sql('UPDATE api_keys SET revoked_at = clock_timestamp() WHERE id = $1', [id]);

  it('are found by the key, and by the fingerprint of its hash', async () => {
    const { key, id, name } = await make();
    const caller = { id, name, role: 'viewer' };
    expect(isKey(key)).toBe(true);
    expect(await lookup.callerOf(key)).toEqual(caller);
    expect(await lookup.callerOfSession(id, fingerprintOf(hashOfKey(key)))).toEqual(caller);
    expect(await lookup.callerOfSession(id, fingerprintOf(hashOfKey(makeKey())))).toBeNull();
    expect(await lookup.callerOf(makeKey())).toBeNull();
  });

  it('work for two seconds after another process has revoked them, and stop here at once', async () => {
    const { key, id } = await make();
    await lookup.callerOf(key);
    await revokeElsewhere(id);
    passedMs += 1_999;
    expect(await lookup.callerOf(key)).not.toBeNull();
    passedMs += 1;
    expect(await lookup.callerOf(key)).toBeNull();

    const other = await make();
    await lookup.callerOf(other.key);
    await keys.revoke(someActor, other.id);
    expect(await lookup.callerOf(other.key)).toBeNull();
  });

  it('are not remembered beyond their own end', async () => {
    const { key, id } = await make(new Date(Date.now() + 3_600_000));
    await database.sql(
      `UPDATE api_keys SET expires_at = clock_timestamp() + interval '1 s' WHERE id = $1`,
      [id],
    );
    expect(await lookup.callerOf(key)).not.toBeNull();
    await revokeElsewhere(id);
    passedMs += 1_000;
    expect(await lookup.callerOf(key)).toBeNull();
  });

  it('are asked for once, however many requests ask at a time', async () => {
    const { key } = await make();
    const query = jest.spyOn(database.pool, 'query');
    await Promise.all(Array.from({ length: 50 }, () => lookup.callerOf(key)));
    await lookup.callerOf(key);
    expect(query).toHaveBeenCalledTimes(1);
    query.mockRestore();
  });

  it('end with a revocation that comes while they are looked up', async () => {
    const { key, id } = await make();
    const before = lookup.callerOf(key);
    lookup.forget();
    await before;
    await revokeElsewhere(id);
    expect(await lookup.callerOf(key)).toBeNull();
  });

  it('cannot end in the past, nor have a name twice', async () => {
    const { name } = await make();
    await expect(make(new Date(0))).rejects.toMatchObject({ code: 'invalid' });
    await expect(
      keys.create(someActor, { name, role: 'viewer', expiresAt: null }),
    ).rejects.toMatchObject({
      code: 'conflict',
    });
    await expect(keys.revoke(someActor, 0)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('of the environment is the one that counts, unless it was revoked by hand', async () => {
    expect(await keys.bootstrap(someActor, undefined)).toEqual({ key: null, hasAdminKey: false });
    expect(await keys.bootstrap(someActor, 'first-admin-key')).toEqual({
      key: 'usable',
      hasAdminKey: true,
    });
    expect(await keys.bootstrap(someActor, 'second-admin-key')).toMatchObject({ key: 'usable' });
    expect(await lookup.callerOf('first-admin-key')).toBeNull();
    const caller = await lookup.callerOf('second-admin-key');
    await keys.revoke(someActor, caller?.id ?? 0);
    expect(await keys.bootstrap(someActor, 'second-admin-key')).toEqual({
      key: 'revoked',
      hasAdminKey: false,
    });
  });
});
