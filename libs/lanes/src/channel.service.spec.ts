import { poolOf } from '@app/database';
import { decrypt } from '@app/platform';
import { createTestDatabase, type TestDatabase, someActor, unheard } from '@app/testkit';
import { ChannelService } from './channel.service.js';

const KEY = 'the key of this test';
/** With `exp` 1906502400. */
const JWT = `${btoa('{"alg":"none"}')}.${btoa('{"exp":1906502400}')}.x`;

let database: TestDatabase;
let channels: ChannelService;

beforeAll(async () => {
  database = await createTestDatabase();
  channels = new ChannelService(database, unheard, KEY);
});
afterAll(() => database.drop());

const lane = async () =>
  (
    await poolOf(database.dataSource).query<{
      token_encrypted: Buffer;
      probe_due: boolean | null;
    }>(`SELECT token_encrypted, probe_at <= clock_timestamp() AS probe_due FROM lanes`)
  ).rows[0];

const trip = () =>
  poolOf(database.dataSource).query(`UPDATE lanes SET state = 'open', reason = 'http_401',
    opened_at = now(), probe_at = now() + interval '5 min', probes = 4, generation = generation + 1`);

describe('the channels', () => {
  it('are listed with their state and never with their token', async () => {
    const [channel, ...others] = await channels.list();
    expect(others).toEqual([]);
    expect(channel).toMatchObject({
      name: 'notification',
      state: 'closed',
      ratePerSecond: null,
      tokenSource: 'environment',
      tokenExpiresAt: null,
    });
    expect(channel).not.toHaveProperty('tokenEncrypted');
  });

  it('opened by hand wait for no probe, and closed by hand forget what was', async () => {
    const before = (await channels.list())[0]?.generation ?? 0;
    const opened = await channels.setBreaker(someActor, 'notification', 'open');
    expect(opened).toMatchObject({ state: 'open', probeAt: null, generation: before + 1 });
    expect(opened.openedAt).not.toBeNull();
    await trip();
    expect(await channels.setBreaker(someActor, 'notification', 'closed')).toMatchObject({
      state: 'closed',
      reason: null,
      openedAt: null,
      probeAt: null,
      probes: 0,
      generation: before + 3,
    });
  });

  it('take a limit and give it up again', async () => {
    expect(await channels.setRate(someActor, 'notification', 12.5)).toMatchObject({
      ratePerSecond: 12.5,
    });
    expect(await channels.setRate(someActor, 'notification', null)).toMatchObject({
      ratePerSecond: null,
    });
  });

  it('are unknown by any other name', async () => {
    await expect(channels.setRate(someActor, 'nonsense', 1)).rejects.toMatchObject({
      code: 'not_found',
    });
  });
});

describe('a token set over the API', () => {
  it('is stored encrypted and has its expiry', async () => {
    const view = await channels.setToken(someActor, 'notification', JWT);
    expect(view).toMatchObject({ tokenSource: 'stored', tokenExpiresAt: new Date(1906502400_000) });
    const sealed = (await lane())?.token_encrypted ?? Buffer.of();
    expect(sealed.includes(JWT.slice(0, 10))).toBe(false);
    expect(decrypt(sealed, KEY)).toBe(JWT);
  });

  it('lets a tripped breaker probe at once, but not one that was opened by hand', async () => {
    await trip();
    expect(await channels.setToken(someActor, 'notification', JWT)).toMatchObject({
      state: 'open',
      probes: 0,
    });
    expect((await lane())?.probe_due).toBe(true);

    await channels.setBreaker(someActor, 'notification', 'open');
    expect(await channels.setToken(someActor, 'notification', JWT)).toMatchObject({
      probeAt: null,
    });
  });

  it('is refused without ENCRYPTION_KEY, by name', async () => {
    const keyless = new ChannelService(database, unheard, undefined);
    await expect(keyless.setToken(someActor, 'notification', JWT)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('ENCRYPTION_KEY') as string,
    });
  });

  it('has no known end when it was stored under another key', async () => {
    await channels.setToken(someActor, 'notification', JWT);
    const other = new ChannelService(database, unheard, 'another key altogether');
    expect((await other.list())[0]).toMatchObject({ tokenSource: 'stored', tokenExpiresAt: null });
  });
});
