import { once } from 'node:events';
import { connect } from 'node:net';
import { createGunzip } from 'node:zlib';
import {
  control,
  faults,
  putFaults,
  send,
  type Settings,
  start,
  TOKEN,
  until,
} from '../../test/client.js';
import type { Simulator } from '../simulator.js';

type Rule = NonNullable<Settings['rules']>[number];

describe('each fault on the wire', () => {
  let simulator: Simulator;
  beforeEach(async () => {
    simulator = await start();
  });
  afterEach(() => simulator.close());

  const rules = (...list: Rule[]) => putFaults(simulator, { rules: list });
  const message = async (id: number) => {
    const { json } = await control(simulator, 'GET', `/received/messages/${id}`);
    return json as { oks: number; accepted: number; log: { status: number | null }[] };
  };

  it.each<[string, Rule, number, string]>([
    [
      'status',
      { fault: 'status', status: 503 },
      503,
      '{"code":503,"message":"Service Unavailable"}',
    ],
    ['status with a body', { fault: 'status', status: 500, body: 'oops' }, 500, 'oops'],
    ['status with JSON', { fault: 'status', status: 422, body: { a: [1] } }, 422, '{"a":[1]}'],
    ['wrong-code', { fault: 'wrong-code' }, 200, '{"code":1,"message":"OK"}'],
    [
      'wrong-code of choice',
      { fault: 'wrong-code', code: null },
      200,
      '{"code":null,"message":"OK"}',
    ],
    ['string-code', { fault: 'string-code' }, 200, '{"code":"0","message":"OK"}'],
    ['array', { fault: 'array' }, 200, '[{"code":0,"message":"OK"}]'],
    ['empty', { fault: 'empty' }, 200, ''],
    ['truncated-json', { fault: 'truncated-json' }, 200, '{"code":0,"message":"O'],
  ])('%s is a whole answer that is no OK', async (_, rule, status, body) => {
    await rules(rule);
    const seen = await send(simulator, 1);
    expect(seen).toMatchObject({ status });
    expect(seen.error).toBeUndefined();
    expect(seen.body.toString()).toBe(body);
    expect(await message(1)).toMatchObject({ oks: 0, accepted: 0, log: [{ status }] });
  });

  it('continue answers 100 as often as set, and then OK', async () => {
    await rules({ fault: 'continue', count: 2 });
    const socket = connect(simulator.port, '127.0.0.1');
    const body = '{"id":1,"phone":79991234567,"text":"x"}';
    socket.write(
      `POST /v1/send/1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer ${TOKEN}\r\n` +
        `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    let seen = '';
    socket.on('data', (chunk) => (seen += chunk.toString()));
    await once(socket, 'close');
    expect(seen).toMatch(/^(?:HTTP\/1\.1 100 Continue\r\n\r\n){2}HTTP\/1\.1 200 OK\r\n/);
    expect(await message(1)).toMatchObject({ oks: 1, accepted: 1 });
  });

  it('html looks like a page of some proxy', async () => {
    await rules({ fault: 'html' });
    const seen = await send(simulator, 1);
    expect(seen.headers['content-type']).toMatch(/^text\/html/);
    expect(seen.body.toString()).toMatch(/^<!doctype html>/);
  });

  it.each([
    [5, '5'],
    ['-1', '-1'],
    [1e300, '1e+300'],
    ['soon', 'soon'],
  ])('429 carries Retry-After %j', async (retryAfter, header) => {
    await rules({ fault: 'status', status: 429, retryAfter });
    expect((await send(simulator, 1)).headers['retry-after']).toBe(header);
  });

  it('429 carries Retry-After as a date ahead', async () => {
    await rules({ fault: 'status', status: 429, retryAfter: { dateInSeconds: 60 } });
    const header = (await send(simulator, 1)).headers['retry-after'] ?? '';
    expect(header).toMatch(/^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/);
    const ahead = Date.parse(header) - Date.now();
    expect(ahead).toBeGreaterThan(57_000);
    expect(ahead).toBeLessThanOrEqual(60_000);
  });

  it('status takes other headers, for a redirect', async () => {
    await rules({ fault: 'status', status: 307, headers: { Location: '/elsewhere' } });
    expect(await send(simulator, 1)).toMatchObject({
      status: 307,
      headers: { location: '/elsewhere' },
    });
  });

  it('truncated-body ends in good order before the length that was promised', async () => {
    await rules({ fault: 'truncated-body', accepted: true });
    const seen = await send(simulator, 1);
    expect(seen).toMatchObject({ status: 200, headers: { 'content-length': '25' } });
    expect(seen.error).toBe('ECONNRESET');
    expect(seen.body.toString()).toBe('{"code":0,"m');
    expect(await message(1)).toMatchObject({ oks: 0, accepted: 1 });
  });

  it('huge streams a valid answer of the size that was asked for', async () => {
    await rules({ fault: 'huge', bytes: 3_000_000 });
    const seen = await send(simulator, 1);
    expect(seen.body.length).toBe(3_000_000);
    expect(JSON.parse(seen.body.toString())).toMatchObject({ code: 0 });
    expect(await message(1)).toMatchObject({ oks: 0, accepted: 0 });
  });

  it('huge holds no memory for a client that hangs up midway', async () => {
    await rules({ fault: 'huge', bytes: 10_000_000_000 });
    const seen = await send(simulator, 1, { stopAfter: 200_000 });
    expect(seen.headers['content-length']).toBe('10000000000');
    expect(seen.body.length).toBeLessThan(20_000_000);
    expect((await control(simulator, 'GET', '/received')).status).toBe(200);
  });

  it('gzip-bomb is small on the wire and expands to the size that was asked for', async () => {
    const bytes = 50_000_000;
    await rules({ fault: 'gzip-bomb', bytes });
    const seen = await send(simulator, 1);
    expect(seen.headers['content-encoding']).toBe('gzip');
    expect(seen.body.length).toBeLessThan(bytes / 500);
    const gunzip = createGunzip();
    gunzip.end(seen.body);
    let size = 0;
    let first = '';
    let last = '';
    for await (const chunk of gunzip as AsyncIterable<Buffer>) {
      first ||= chunk.subarray(0, 10).toString();
      last = chunk.subarray(-2).toString();
      size += chunk.length;
    }
    expect({ size, first, last }).toEqual({ size: bytes, first: '{"code":0,', last: '"}' });
  });

  it('drip writes a valid answer byte by byte, and counts it only at its end', async () => {
    await rules({ fault: 'drip', intervalMs: 20 });
    const dripping = send(simulator, 1);
    await until(
      () => control(simulator, 'GET', '/received'),
      ({ json }) => (json as { accepted: { requests: number } }).accepted.requests === 1,
    );
    expect(await message(1)).toMatchObject({ oks: 0, accepted: 1 });
    const seen = await dripping;
    expect(JSON.parse(seen.body.toString())).toEqual({ code: 0, message: 'OK' });
    expect(seen.ms).toBeGreaterThan(24 * 20);
    expect(await message(1)).toMatchObject({ oks: 1, accepted: 1 });
  });

  it('drip of the head keeps the client waiting for the first line', async () => {
    await rules({ fault: 'drip', intervalMs: 2, part: 'head' });
    const seen = await send(simulator, 1);
    expect(seen.ms).toBeGreaterThan(100 * 2);
    expect(JSON.parse(seen.body.toString())).toEqual({ code: 0, message: 'OK' });
  });

  it('drip counts no OK for a client that hangs up midway', async () => {
    await rules({ fault: 'drip', intervalMs: 10 });
    await send(simulator, 1, { stopAfter: 3 });
    await rules();
    await send(simulator, 2);
    await new Promise((resolve) => setTimeout(resolve, 26 * 10));
    expect(await message(1)).toMatchObject({ oks: 0, accepted: 1 });
  });

  it('delay answers OK, late', async () => {
    await rules({ fault: 'delay', ms: 200 });
    const seen = await send(simulator, 1);
    expect(seen.status).toBe(200);
    expect(seen.ms).toBeGreaterThanOrEqual(195);
    expect(await message(1)).toMatchObject({ oks: 1 });
  });

  it('delay counts no OK for a client that hangs up before, but the message was taken', async () => {
    await rules({ fault: 'delay', ms: 100 });
    await send(simulator, 1, { signal: AbortSignal.timeout(30) });
    const after = await until(
      () => control(simulator, 'GET', '/received'),
      ({ json }) => (json as { unanswered: number }).unanswered === 0,
    );
    expect(after.json).toMatchObject({ byStatus: { none: 1 } });
    await new Promise((resolve) => setTimeout(resolve, 120));
    expect(await message(1)).toMatchObject({ oks: 0, accepted: 1, log: [{ status: null }] });
  });

  it('hang reads the request and never answers', async () => {
    await rules({ fault: 'hang', accepted: true });
    const seen = await send(simulator, 1, { signal: AbortSignal.timeout(300) });
    expect(seen).toMatchObject({ error: 'ABORT_ERR' });
    expect(seen.status).toBeUndefined();
    expect(await message(1)).toMatchObject({ oks: 0, accepted: 1 });
  });

  it('reset-before-body resets a client that has sent no body yet', async () => {
    await rules({ fault: 'reset-before-body' });
    const socket = connect(simulator.port, '127.0.0.1');
    socket.write(
      `POST /v1/send/1 HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Length: 50\r\n\r\n`,
    );
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNRESET');
    expect(await message(1)).toMatchObject({ oks: 0, accepted: 0, log: [{ status: null }] });
  });

  it.each([false, true])('reset-after-body has read it all (accepted: %s)', async (accepted) => {
    await rules({ fault: 'reset-after-body', accepted });
    const seen = await send(simulator, 1);
    expect(seen).toMatchObject({ error: 'ECONNRESET' });
    expect(seen.status).toBeUndefined();
    expect(await message(1)).toMatchObject({
      accepted: accepted ? 1 : 0,
      log: [{ status: null, phone: 79_261_234_567, text: 'Hello' }],
    });
  });

  it('a wrong request gets its 400, whatever rules are on', async () => {
    await rules({ fault: 'status', status: 503 });
    expect((await send(simulator, 1, { body: '{}' })).status).toBe(400);
  });
});

describe('refuse', () => {
  it('closes the port for everybody while the control port stays, and opens it again', async () => {
    const simulator = await start({ controlPort: 0 });
    const keptAlive = connect(simulator.port, '127.0.0.1');
    await once(keptAlive, 'connect');
    const cut = once(keptAlive, 'close');

    await putFaults(simulator, { refuse: true });
    expect(await send(simulator, 1)).toMatchObject({ error: 'ECONNREFUSED' });
    await cut;
    await putFaults(simulator, { refuse: false });
    expect(await send(simulator, 1)).toMatchObject({ status: 200 });
    await simulator.close();
  });

  it('ends by itself after a while, without a control port', async () => {
    const simulator = await start();
    await putFaults(simulator, { refuse: { forMs: 200 } });
    expect(await send(simulator, 1)).toMatchObject({ error: 'ECONNREFUSED' });
    await until(
      () => send(simulator, 1),
      ({ status }) => status === 200,
    );
    const { json } = await control(simulator, 'GET', '/faults');
    expect(json).toMatchObject({ settings: { refuse: false } });
    await simulator.close();
  });

  it('for ever is refused without a control port to end it', async () => {
    const simulator = await start();
    const { status, json } = await control(simulator, 'PUT', '/faults', { refuse: true });
    expect(status).toBe(422);
    expect(json).toMatchObject({ errors: [{ path: 'refuse' }] });
    expect(await send(simulator, 1)).toMatchObject({ status: 200 });
    await simulator.close();
  });

  it('can be the state that it starts in', async () => {
    const simulator = await start({ controlPort: 0, faults: faults({ refuse: true }) });
    expect(await send(simulator, 1)).toMatchObject({ error: 'ECONNREFUSED' });
    await putFaults(simulator, {});
    expect(await send(simulator, 1)).toMatchObject({ status: 200 });
    await simulator.close();
  });
});
