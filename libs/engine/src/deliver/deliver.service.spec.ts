import {
  NOTIFICATION_API_POLICY,
  NOTIFICATION_CONTENT,
  type Channel,
  type Outcome,
  type OutgoingMessage,
} from '@app/channels';
import { poolOf, type Queryable, type Statement } from '@app/database';
import { type Clock, createLogger } from '@app/platform';
import {
  addClients,
  addMailing,
  addMessages,
  createTestDatabase,
  openSlots,
  type TestDatabase,
} from '@app/testkit';
import { takeProbeIfDue } from '@app/lanes';
import { DeliverService } from './deliver.service.js';

const queryable = (database: TestDatabase): Queryable => poolOf(database.dataSource);

describe('delivering', () => {
  let database: TestDatabase;
  let sent: OutgoingMessage[];
  let answer: (message: OutgoingMessage) => Outcome | Promise<Outcome>;
  let offsetMs: number;
  let localTroubles: number[];
  let deliver: DeliverService;
  const sql = <Row = Record<string, unknown>>(text: string, values: unknown[] = []) =>
    database.sql<Row>(text, values);

  const channel: Channel = {
    send: async (message) => {
      sent.push(message);
      return answer(message);
    },
    close: () => Promise.resolve(),
  };
  /** A clock that a test can make jump, as a stopped process sees it. */
  const clock: Clock = {
    now: () => new Date(),
    monotonic: () => performance.now() + offsetMs,
  };
  const delivered: Outcome = { kind: 'delivered', httpStatus: 200 };

  beforeAll(async () => {
    database = await createTestDatabase();
  });
  beforeEach(async () => {
    sent = [];
    answer = () => delivered;
    offsetMs = 0;
    localTroubles = [];
    deliver = service();
    await sql(`UPDATE lanes SET state = 'closed', reason = NULL, paused_until = NULL`);
  });
  afterAll(() => database.drop());

  type Around = <Result>(run: () => Promise<Result>, name: string) => Promise<Result>;
  /** A service whose statements go through `around`, to hit it where it hurts. */
  const service = (around: Around = (run) => run()) =>
    new DeliverService({
      db: {
        // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- as Queryable has it
        query: <Row extends object>(statement: Statement) =>
          around(() => queryable(database).query<Row>(statement), statement.name ?? ''),
      },
      lane: { id: 1, name: 'notification' },
      channel,
      policy: NOTIFICATION_API_POLICY,
      content: NOTIFICATION_CONTENT,
      clock,
      logger: createLogger('test', 'silent'),
      onLocalTrouble: (pauseMs) => localTroubles.push(pauseMs),
    });

  async function messages(count: number): Promise<number[]> {
    const clients = await addClients(
      database.dataSource,
      Array.from({ length: count }, () => ({})),
    );
    const mailing = await addMailing(database.dataSource);
    const ids = await addMessages(
      database.dataSource,
      mailing,
      clients.map((clientId) => ({ status: 'pending', clientId })),
    );
    await openSlots(database.dataSource, mailing);
    return ids;
  }
  const statuses = async (ids: number[]): Promise<string[]> => {
    const rows: { status: string }[] = await sql(
      'SELECT status FROM messages WHERE id = ANY ($1) ORDER BY id',
      [ids],
    );
    return rows.map((row) => row.status);
  };
  const lane = async (): Promise<Record<string, unknown>> => {
    const rows: Record<string, unknown>[] = await sql('SELECT * FROM lanes WHERE id = 1');
    return rows[0] ?? {};
  };

  it('sends what it claimed, with the id of the row, and writes it down', async () => {
    const [id = 0] = await messages(1);
    await deliver.deliver({ messageId: id });
    const address = expect.stringMatching(/^79/) as string;
    expect(sent).toEqual([{ id, address, content: { text: 'text' } }]);
    expect(await statuses([id])).toEqual(['sent']);
  });

  it('sends once when two jobs ask for the same message', async () => {
    const [id = 0] = await messages(1);
    await Promise.all([deliver.deliver({ messageId: id }), deliver.deliver({ messageId: id })]);
    expect(sent).toHaveLength(1);
  });

  it('sends nothing when it was stopped for longer than its lease allows', async () => {
    const [id = 0] = await messages(1);
    const stopped = service(async (run) => {
      const result = await run();
      offsetMs += NOTIFICATION_API_POLICY.leaseMs - NOTIFICATION_API_POLICY.callLimitMs; // between the claim and the send
      return result;
    });
    await stopped.deliver({ messageId: id });
    expect(sent).toEqual([]);
    expect(await sql('SELECT status, attempts, tries FROM messages WHERE id = $1', [id])).toEqual([
      { status: 'pending', attempts: 1, tries: 0 },
    ]);
  });

  it('keeps an outcome until the database accepts it', async () => {
    const [id = 0] = await messages(1);
    let outages = 3;
    const flaky = service((run, name) => {
      const isRecord = name === 'record-delivered-if-still-open';
      return isRecord && outages-- > 0
        ? Promise.reject(new Error('the server does not answer'))
        : run();
    });
    await flaky.deliver({ messageId: id });
    expect(outages).toBeLessThan(0);
    expect(await statuses([id])).toEqual(['sent']);
    expect(sent).toHaveLength(1);
  });

  it('finds a claim again whose answer got lost', async () => {
    const [id = 0] = await messages(1);
    let lost = false;
    const lossy = service(async (run, name) => {
      const result = await run();
      if (name !== 'claim-due-pending' || lost) return result;
      lost = true;
      throw new Error('Connection terminated unexpectedly');
    });
    await lossy.deliver({ messageId: id });
    expect(sent).toHaveLength(1);
    expect(await statuses([id])).toEqual(['sent']);
  });

  it('pauses the whole lane when the provider answers 429, and uses no try', async () => {
    const [id = 0] = await messages(1);
    answer = () => ({
      kind: 'unavailable',
      scope: 'rate',
      code: 'http_429',
      detail: 'slow down',
      retryAfterMs: 7_000,
    });
    await deliver.deliver({ messageId: id });
    const [row]: { s: number }[] = await sql(
      'SELECT extract(epoch FROM paused_until - now())::float8 AS s FROM lanes WHERE id = 1',
    );
    expect(row?.s).toBeGreaterThan(5);
    expect(row?.s).toBeLessThanOrEqual(7);
    expect(await lane()).toMatchObject({ state: 'closed' });
    expect(await sql('SELECT tries FROM messages WHERE id = $1', [id])).toEqual([{ tries: 0 }]);
  });

  it('makes an outcome of whatever the channel throws, and its breaker sees it', async () => {
    const ids = await messages(10);
    answer = () => {
      throw new RangeError('Maximum call stack size exceeded');
    };
    for (const id of ids) await deliver.deliver({ messageId: id });
    expect(new Set(await statuses(ids))).toEqual(new Set(['pending']));
    expect(
      await sql(
        `SELECT DISTINCT outcome, error_code FROM delivery_attempts WHERE message_id = ANY ($1)`,
        [ids],
      ),
    ).toEqual([{ outcome: 'unknown', error_code: 'internal' }]);
    expect(await lane()).toMatchObject({ state: 'open' });
  });

  it('gives messages back when it cannot connect, uses no try, and takes no work for a while', async () => {
    const ids = await messages(12);
    answer = () => ({ kind: 'skipped', isLocal: true, code: 'local', detail: 'EMFILE' });
    for (const id of ids.slice(0, 11)) await deliver.deliver({ messageId: id });
    expect(await lane()).toMatchObject({ state: 'closed' });
    expect(await sql('SELECT DISTINCT tries FROM messages WHERE id = ANY ($1)', [ids])).toEqual([
      { tries: 0 },
    ]);
    expect(localTroubles).toEqual([1_000]);
    offsetMs += 1_000;
    await deliver.deliver({ messageId: ids[11] ?? 0 });
    expect(localTroubles).toEqual([1_000, 2_000]);
  });

  it('sends nothing of a mailing whose outcomes the database refuses', async () => {
    const ids = await messages(30);
    const refusing = service((run, name) =>
      name.startsWith('record-')
        ? Promise.reject(Object.assign(new Error('refused'), { code: '23514' }))
        : run(),
    );
    for (const id of ids) await refusing.deliver({ messageId: id });
    expect(sent).toHaveLength(16);
    await refusing.close();
  });

  describe('and its breaker', () => {
    const down: Outcome = {
      kind: 'unavailable',
      scope: 'down',
      code: 'refused',
      detail: 'refused',
    };

    it('opens for all after ten bad answers in a row', async () => {
      const ids = await messages(10);
      answer = () => down;
      for (const id of ids.slice(0, 9)) await deliver.deliver({ messageId: id });
      expect(await lane()).toMatchObject({ state: 'closed' });
      await deliver.deliver({ messageId: ids[9] ?? 0 });
      expect(await lane()).toMatchObject({
        state: 'open',
        reason: 'refused',
        reason_detail: 'refused',
      });
    });

    it('opens at once when the token is refused', async () => {
      const [id = 0] = await messages(1);
      answer = () => ({ kind: 'unavailable', scope: 'auth', code: 'http_401', detail: 'no' });
      await deliver.deliver({ messageId: id });
      expect(await lane()).toMatchObject({ state: 'open' });
      expect(await statuses([id])).toEqual(['pending']);
    });

    it('opens at half bad of twenty, and not at less', async () => {
      const ids = await messages(21);
      answer = ({ id }) => (ids.indexOf(id) % 2 === 1 ? down : delivered);
      for (const id of ids.slice(0, 19)) await deliver.deliver({ messageId: id });
      expect(await lane()).toMatchObject({ state: 'closed' });
      await deliver.deliver({ messageId: ids[19] ?? 0 });
      expect(await lane()).toMatchObject({ state: 'open' });
    });

    it('closes when the probe goes through, and waits longer when it does not', async () => {
      const [first = 0, second = 0] = await messages(2);
      await sql(`UPDATE lanes SET state = 'open', probe_at = now(), probes = 0`);
      const probe = (await takeProbeIfDue(poolOf(database.dataSource), 1)) ?? 0;
      answer = () => down;
      await deliver.deliver({ messageId: first, probe });
      expect(await lane()).toMatchObject({ state: 'open', probes: 1 });
      expect(await takeProbeIfDue(poolOf(database.dataSource), 1)).toBeNull();

      await sql(`UPDATE lanes SET probe_at = now()`);
      const next = (await takeProbeIfDue(poolOf(database.dataSource), 1)) ?? 0;
      answer = () => delivered;
      await deliver.deliver({ messageId: second, probe: next });
      expect(await lane()).toMatchObject({ state: 'closed', reason: null, probe_at: null });
      expect(await statuses([second])).toEqual(['sent']);
    });

    it('gives out only one probe token at a time', async () => {
      await sql(`UPDATE lanes SET state = 'open', probe_at = now()`);
      const pool = poolOf(database.dataSource);
      const tokens = await Promise.all([takeProbeIfDue(pool, 1), takeProbeIfDue(pool, 1)]);
      expect(tokens.filter((token) => token !== null)).toHaveLength(1);
    });

    it('is not opened again by an outcome from before it closed', async () => {
      const ids = await messages(10);
      const late: ((outcome: Outcome) => void)[] = [];
      answer = () => new Promise((resolve) => late.push(resolve));
      const deliveries = ids.map((id) => deliver.deliver({ messageId: id }));
      while (late.length < 10) await new Promise((resolve) => setImmediate(resolve));
      await sql('UPDATE lanes SET generation = generation + 2'); // opened and closed meanwhile
      for (const resolve of late) resolve(down);
      await Promise.all(deliveries);
      expect(await lane()).toMatchObject({ state: 'closed' });
    });
  });
});
