import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { control, putFaults, send, start, TOKEN, until } from '../../test/client.js';
import type { Simulator } from '../simulator.js';
import { ReceivedLog } from './log.js';
import { summaryOf, timelineOf } from './views.js';

interface Page {
  items: { id: number; times: number[] }[];
  nextCursor: string | null;
}

describe('what came in', () => {
  let simulator: Simulator;
  beforeEach(async () => {
    simulator = await start();
  });
  afterEach(() => simulator.close());
  const get = async (path: string) => (await control(simulator, 'GET', path)).json;

  it('is empty at first', async () => {
    expect(await get('/received')).toMatchObject({ requests: 0, firstAt: null, byStatus: {} });
    expect(await get('/received/timeline')).toEqual([]);
    expect(await get('/received/messages')).toEqual({ items: [], nextCursor: null });
  });

  it('is summed up: requests, delivered, duplicates, statuses, tokens without their text', async () => {
    const before = Date.now();
    await putFaults(simulator, { rules: [{ fault: 'status', status: 503, ids: [3] }] });
    await send(simulator, 1);
    await send(simulator, 2);
    await send(simulator, 2);
    await send(simulator, 3);
    await send(simulator, 4, { token: 'wrong' });
    const summary = await get('/received');
    const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
    expect(summary).toMatchObject({
      requests: 5,
      messages: 4,
      delivered: 2,
      duplicates: 1,
      oks: 3,
      accepted: { requests: 3, messages: 2, duplicates: 1 },
      unanswered: 0,
      byStatus: { 200: 3, 401: 1, 503: 1 },
      tokens: [
        { sha256: sha256(TOKEN), requests: 4 },
        { sha256: sha256('wrong'), requests: 1 },
      ],
    });
    expect(JSON.stringify(summary)).not.toContain(TOKEN);
    const { firstAt, lastAt } = summary as { firstAt: number; lastAt: number };
    expect(firstAt).toBeGreaterThanOrEqual(before - 5);
    expect(lastAt).toBeGreaterThan(firstAt);
    expect(lastAt).toBeLessThanOrEqual(Date.now() + 5);
  });

  it('keeps the payload of every request, byte by byte', async () => {
    const texts = ['first', `שלום ${'😀'.repeat(2_000)} \u0000\n"`];
    await putFaults(simulator, { rules: [{ fault: 'status', status: 503, firstRequests: 1 }] });
    for (const text of texts) {
      await send(simulator, 9, { body: JSON.stringify({ id: 9, phone: 79_990_000_001, text }) });
    }
    await send(simulator, 9, { token: 'wrong' });
    const message = (await get('/received/messages/9')) as {
      times: number[];
      log: { at: number }[];
    };
    expect(message).toMatchObject({
      id: 9,
      phone: 79_990_000_001,
      text: texts[1],
      requests: 3,
      accepted: 1,
      oks: 1,
      log: [
        { status: 503, accepted: false, okAt: null, phone: 79_990_000_001, text: texts[0] },
        { status: 200, accepted: true, phone: 79_990_000_001, text: texts[1] },
        { status: 401, accepted: false, okAt: null, phone: null, text: null },
      ],
    });
    expect(message.times).toEqual(message.log.map(({ at }) => at));
    expect(message.times).toEqual([...message.times].sort((a, b) => a - b));
  });

  it('is listed page by page, and duplicates on their own', async () => {
    for (const id of [5, 3, 5, 8, 1, 8, 8]) await send(simulator, id);
    const first = (await get('/received/messages?limit=3')) as Page;
    expect(first.items.map(({ id }) => id)).toEqual([5, 3, 8]);
    const cursor = first.nextCursor ?? '';
    const second = (await get(`/received/messages?limit=3&cursor=${cursor}`)) as Page;
    expect(second.items.map(({ id }) => id)).toEqual([1]);
    expect(second.nextCursor).toBeNull();
    for (const by of ['oks', 'accepted']) {
      const twice = (await get(`/received/duplicates?by=${by}`)) as Page;
      expect(twice.items.map(({ id, times }) => [id, times.length])).toEqual([
        [5, 2],
        [8, 3],
      ]);
    }
    const timeline = (await get('/received/timeline')) as number[];
    expect(timeline).toHaveLength(7);
    expect(timeline).toEqual([...timeline].sort((a, b) => a - b));
  });

  it('counts a request whose client died in the middle of its body', async () => {
    const socket = connect(simulator.port, '127.0.0.1');
    const head = `Authorization: Bearer ${TOKEN}\r\nContent-Length: 50`;
    socket.write(`POST /v1/send/1 HTTP/1.1\r\nHost: a\r\n${head}\r\n\r\n{"id":1`);
    const came = (summary: unknown) => (summary as { requests: number }).requests === 1;
    expect(await until(() => get('/received'), came)).toMatchObject({ unanswered: 1 });
    socket.destroy();
    const settled = (summary: unknown) => (summary as { unanswered: number }).unanswered === 0;
    expect(await until(() => get('/received'), settled)).toMatchObject({
      accepted: { requests: 0 },
      byStatus: { none: 1 },
    });
  });

  it('names a parameter that is wrong, and an id that never came', async () => {
    for (const [path, name] of [
      ['messages?limit=0', 'limit'],
      ['messages?cursor=x', 'cursor'],
      ['duplicates?by=luck', 'by'],
    ]) {
      const { status, json } = await control(simulator, 'GET', `/received/${path}`);
      expect(status).toBe(400);
      expect(json).toMatchObject({ errors: [{ path: name }] });
    }
    expect((await control(simulator, 'GET', '/received/messages/404')).status).toBe(404);
  });

  it('is forgotten on demand, and answers still on their way do not come back into it', async () => {
    await putFaults(simulator, { rules: [{ fault: 'delay', ms: 200 }] });
    const late = send(simulator, 1);
    await until(
      () => get('/received'),
      (summary) => (summary as { accepted: { requests: number } }).accepted.requests === 1,
    );
    expect((await control(simulator, 'DELETE', '/received')).status).toBe(204);
    expect((await late).status).toBe(200);
    expect(await get('/received')).toMatchObject({
      requests: 0,
      oks: 0,
      unanswered: 0,
      byStatus: {},
    });
  });
});

describe('the log itself', () => {
  it('keeps ids apart that a JSON number would confuse', () => {
    const log = new ReceivedLog();
    log.arrive(9_007_199_254_740_993n, '');
    log.arrive(9_007_199_254_740_992n, '');
    expect(log.arrive(9_007_199_254_740_993n, '').nth).toBe(2);
    expect(summaryOf(log)).toMatchObject({ requests: 3, messages: 2 });
  });

  it('holds far more rows than one chunk of a column', () => {
    const log = new ReceivedLog();
    const count = 150_000;
    for (let id = 1; id <= count; id += 1) {
      const entry = log.arrive(id, 'Bearer a');
      log.payload(entry, 79_000_000_000 + id, `text ${id % 3}`);
      log.accept(entry);
      log.settle(entry, 200);
      log.okWritten(entry);
    }
    expect(summaryOf(log)).toMatchObject({ requests: count, delivered: count, duplicates: 0 });
    const row = log.rowOf(140_000) ?? -1;
    const request = log.messages.latest.get(row) - 1;
    expect(log.requests.phone.get(request)).toBe(79_000_140_000);
    expect(log.texts.read(log.requests.text.get(request))).toBe(`text ${140_000 % 3}`);
    const timeline = JSON.parse([...timelineOf(log)].join('')) as number[];
    expect(timeline).toHaveLength(count);
  });
});
