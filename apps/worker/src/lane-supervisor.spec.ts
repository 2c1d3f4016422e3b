import type { ConfiguredChannel } from '@app/channels';
import { type Queryable, poolOf } from '@app/database';
import { createLogger, systemClock } from '@app/platform';
import type { DeliveryConsumers } from '@app/queue';
import { createTestDatabase, type TestDatabase, waitFor } from '@app/testkit';
import { LaneSupervisor } from './lane-supervisor.js';

/** Lanes by name: how often each was opened, and whether it is open. */
class FakeConsumers {
  readonly opened: string[] = [];
  readonly openNow = new Set<string>();
  /** Lanes that cannot be opened. */
  readonly broken = new Set<string>();
  /** What closing waits for. */
  drain: Promise<void> = Promise.resolve();

  open(lane: string) {
    if (this.broken.has(lane)) throw new Error('broken');
    if (this.openNow.has(lane)) throw new Error(`The lane ${lane} is open already`);
    this.opened.push(lane);
    this.openNow.add(lane);
    return {
      inFlight: 0,
      pause: () => undefined,
      stalledForMs: () => 0,
      close: async () => {
        await this.drain;
        this.openNow.delete(lane);
      },
    };
  }
}

describe('the lanes of a worker', () => {
  let database: TestDatabase;
  let consumers: FakeConsumers;
  let supervisor: LaneSupervisor;
  let tokens: (() => string)[];
  let isAway: boolean;

  beforeEach(async () => {
    database = await createTestDatabase();
    consumers = new FakeConsumers();
    tokens = [];
    isAway = false;
    const db = poolOf(database.dataSource);
    const channel: ConfiguredChannel = {
      token: 'of-the-environment',
      ratePerSecond: null,
      open: ({ token }) => {
        tokens.push(token);
        return { send: () => Promise.reject(new Error('unused')), close: () => Promise.resolve() };
      },
    };
    const readable: Queryable = {
      query: (statement) =>
        isAway ? Promise.reject(new Error('Connection terminated')) : db.query(statement),
    };
    supervisor = new LaneSupervisor({
      db: readable,
      consumers: consumers as unknown as DeliveryConsumers,
      channels: new Map([['notification', channel]]),
      places: 8,
      encryptionKey: undefined,
      clock: systemClock,
      logger: createLogger('test', 'silent'),
      lookMs: 20,
    });
  });
  afterEach(async () => {
    await supervisor.close();
    await database.drop();
  });

  const add = (name: string, channel = 'notification') =>
    database.sql('INSERT INTO lanes (name, channel) VALUES ($1, $2)', [name, channel]);
  const remove = (name: string) => database.sql('DELETE FROM lanes WHERE name = $1', [name]);
  const untilOpen = (...names: string[]) =>
    waitFor(
      () => Promise.resolve([...consumers.openNow].sort().join() === [...names].sort().join()),
      { timeoutMs: 5_000, what: `open are ${names.join()}`, everyMs: 5 },
    );
  const looks = () => new Promise((resolve) => setTimeout(resolve, 100));

  it('open and close as their rows appear and go', async () => {
    await supervisor.start();
    await untilOpen('notification');
    await add('second');
    await untilOpen('notification', 'second');
    await remove('second');
    await untilOpen('notification');
    expect(consumers.opened).toEqual(['notification', 'second']);
  });

  it('stay while the database is away', async () => {
    await supervisor.start();
    isAway = true;
    await looks();
    expect([...consumers.openNow]).toEqual(['notification']);
    isAway = false;
    await add('second');
    await untilOpen('notification', 'second');
  });

  it('of another channel than those of this worker are left to others', async () => {
    await add('bot', 'telegram');
    await supervisor.start();
    await looks();
    expect(consumers.opened).toEqual(['notification']);
  });

  it('open beside one that cannot be opened, which follows when it can', async () => {
    consumers.broken.add('notification');
    await add('second');
    await supervisor.start();
    await untilOpen('second');
    consumers.broken.clear();
    await untilOpen('notification', 'second');
  });

  it('of a name that is still ending open when it has ended', async () => {
    let drained = (): void => undefined;
    await add('second');
    await supervisor.start();
    consumers.drain = new Promise((resolve) => (drained = resolve));
    await remove('second');
    await looks();
    await add('second');
    await looks();
    expect(consumers.opened).toEqual(['notification', 'second']);
    drained();
    await waitFor(() => Promise.resolve(consumers.opened.length === 3), {
      timeoutMs: 5_000,
      what: 'it is open again',
    });
    await untilOpen('notification', 'second');
  });

  it('hear of a new token', async () => {
    await supervisor.start();
    expect(tokens[0]?.()).toBe('of-the-environment');
    await database.sql(`UPDATE lanes SET token_encrypted = '\\x00'`);
    await waitFor(
      () =>
        Promise.resolve().then(() => {
          try {
            return tokens[0]?.() === undefined;
          } catch (error) {
            return (error as Error).message.includes('ENCRYPTION_KEY is not set');
          }
        }),
      { timeoutMs: 5_000, what: 'the stored token is asked for' },
    );
  });
});
