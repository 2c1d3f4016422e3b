import { migrateQueue } from '@app/queue';
import {
  addManyClients,
  type ApiCaller,
  createTestDatabase,
  type RunningProcess,
  startApi,
  startProcess,
  type TestDatabase,
  waitFor,
} from '@app/testkit';
import { inMinutes, newMailing } from './mailings-fixture.js';

const CLIENTS = 300;

interface Statistics {
  status: string;
  total: number;
  counts: Record<'pending' | 'sending' | 'sent' | 'cancelled', number>;
  planned: boolean;
  progress: number;
  throughput: { averagePerSecond: number | null };
  forecast: string | null;
  endAt: string;
  finishedAt: string | null;
}

interface ReceivedMessage {
  id: number;
  requests: number;
  text: string;
}

/** A mailing steered over HTTP while real processes send it to a real stand-in. */
describe('steering a mailing while it is sent', () => {
  const processes: RunningProcess[] = [];
  let database: TestDatabase;
  let api: ApiCaller;
  let provider: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    await migrateQueue(database.url);
    await addManyClients(database.dataSource, CLIENTS, { operatorCode: '901' });
    await addManyClients(database.dataSource, 1, { operatorCode: '902' });
    const simulator = await startProcess('simulator', { SIMULATOR_PORT: '0' });
    provider = simulator.url;
    const settings = {
      DATABASE_URL: database.url,
      WORKER_PORT: '0',
      BEAT_PORT: '0',
      NOTIFICATION_API_URL: `${provider}/v1`,
      NOTIFICATION_API_TOKEN: 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ0ZXN0In0.c2ln',
    };
    const [running, ...others] = await Promise.all([
      startApi(database.url),
      startProcess('worker', settings),
      startProcess('beat', settings),
    ]);
    api = running.admin;
    processes.push(running.process, ...others, simulator);
  }, 60_000);

  afterAll(async () => {
    await Promise.all(processes.map((process) => process.stop()));
    await database.drop();
  }, 60_000);

  const create = async (fields: Record<string, unknown>) =>
    (await api.post<{ id: number }>('/mailings', newMailing(fields))).body.id;
  const statistics = async (id: number) =>
    (await api.get<Statistics>(`/mailings/${id}/statistics`)).body;
  const until = (id: number, what: string, holds: (now: Statistics) => boolean) =>
    waitFor(
      async () => {
        const now = await statistics(id);
        return holds(now) && now;
      },
      { timeoutMs: 30_000, what },
    );
  const received = async (text: string) => {
    const answer = await fetch(`${provider}/received/messages?limit=10000`);
    const { items } = (await answer.json()) as { items: ReceivedMessage[] };
    return items.filter((message) => message.text === text);
  };

  it('pauses, takes a new text for what is left, and reaches everybody once', async () => {
    const filter = { operatorCodes: ['901'] };
    const id = await create({ text: 'first text', filter, ratePerSecond: 60 });
    const running = await until(id, '20 are sent', ({ counts }) => counts.sent >= 20);
    expect(running.status).toBe('running');
    expect(Date.parse(running.forecast ?? running.endAt)).toBeLessThanOrEqual(
      Date.parse(running.endAt),
    );

    expect((await api.post(`/mailings/${id}/pause`)).status).toBe(200);
    const paused = await until(id, 'nothing is under way', ({ counts }) => counts.sending === 0);
    // Somebody else's mailing passes meanwhile: everything works, only this one stands still.
    const other = await create({ text: 'other text', filter: { operatorCodes: ['902'] } });
    await until(other, 'the other one is done', ({ status }) => status === 'completed');
    expect(await statistics(id)).toMatchObject({
      status: 'paused',
      counts: paused.counts,
      forecast: null,
    });
    expect(paused.counts.sent).toBeLessThan(CLIENTS);

    const edit = { text: 'second text', ratePerSecond: null, endAt: inMinutes(90) };
    expect((await api.patch(`/mailings/${id}`, edit)).status).toBe(200);
    expect((await api.post(`/mailings/${id}/resume`)).status).toBe(200);
    const done = await until(id, 'all is done', ({ finishedAt }) => finishedAt !== null);
    expect(done).toMatchObject({
      status: 'completed',
      total: CLIENTS,
      counts: { pending: 0, sending: 0, sent: CLIENTS },
      planned: true,
      progress: 1,
      forecast: done.finishedAt,
    });
    expect(done.throughput.averagePerSecond).toBeGreaterThan(1);

    const [first, second] = await Promise.all([received('first text'), received('second text')]);
    expect(first).toHaveLength(paused.counts.sent);
    expect(second).toHaveLength(CLIENTS - paused.counts.sent);
    expect(new Set([...first, ...second].map(({ id: message }) => message)).size).toBe(CLIENTS);
    for (const { requests } of [...first, ...second]) expect(requests).toBe(1);
  }, 60_000);

  it('cancels what is not under way, and says how much that was', async () => {
    const id = await create({
      text: 'cancelled text',
      filter: { operatorCodes: ['901'] },
      ratePerSecond: 20,
    });
    await until(id, 'something is sent', ({ counts, planned }) => planned && counts.sent > 0);
    expect((await api.post(`/mailings/${id}/cancel`)).status).toBe(200);
    const done = await until(id, 'all is closed', ({ finishedAt }) => finishedAt !== null);
    expect(done).toMatchObject({ status: 'cancelled', total: CLIENTS, progress: 1 });
    expect(done.counts.sent + done.counts.cancelled).toBe(CLIENTS);
    expect(done.counts.cancelled).toBeGreaterThan(0);
    expect(await received('cancelled text')).toHaveLength(done.counts.sent);
  }, 60_000);
});
