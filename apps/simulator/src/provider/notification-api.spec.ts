import { call, faults, send, start, TOKEN } from '../../test/client.js';
import type { Simulator } from '../simulator.js';

const JSON_TYPE = 'application/json';

function jwt(claims: unknown): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'HS256' })}.${part(claims)}.c2lnbmF0dXJl`;
}
const inSeconds = (seconds: number) => Math.floor(Date.now() / 1_000) + seconds;

describe('the notification API', () => {
  let simulator: Simulator;
  beforeAll(async () => {
    simulator = await start();
  });
  afterAll(() => simulator.close());

  it('answers a message with the success of the specification', async () => {
    const seen = await send(simulator, 1);
    expect(seen.status).toBe(200);
    expect(seen.headers['content-type']).toBe(JSON_TYPE);
    expect(JSON.parse(seen.body.toString())).toEqual({ code: 0, message: 'OK' });
  });

  it.each([
    ['a body that is no JSON', '7', '{"id":7,'],
    ['a body that is an array', '7', '[]'],
    ['an id unlike the path', '7', '{"id":8,"phone":79261234567,"text":"a"}'],
    ['an id as text', '7', '{"id":"7","phone":79261234567,"text":"a"}'],
    ['a phone as text', '7', '{"id":7,"phone":"79261234567","text":"a"}'],
    ['a phone with a fraction', '7', '{"id":7,"phone":7.5,"text":"a"}'],
    ['no text', '7', '{"id":7,"phone":79261234567}'],
    ['a path without a number', 'seven', '{"id":7,"phone":79261234567,"text":"a"}'],
    [
      'an id beyond int64',
      '9223372036854775808',
      '{"id":9223372036854775808,"phone":7,"text":"a"}',
    ],
    ['a neighbour beyond 2^53', '9007199254740993', '{"id":9007199254740992,"phone":7,"text":"a"}'],
  ])('refuses %s with 400 and words', async (_, id, body) => {
    const seen = await send(simulator, id, { body });
    expect(seen.status).toBe(400);
    expect(JSON.parse(seen.body.toString())).toEqual({
      code: 400,
      message: expect.stringMatching(/id|phone|text|body/) as string,
    });
  });

  it('takes every int64 for an id', async () => {
    const id = '9223372036854775807';
    const body = `{"text":"a","data":{"id":1},"phone":7,"id":${id}}`;
    expect((await send(simulator, id, { body })).status).toBe(200);
  });

  it('refuses a body over its limit with 413', async () => {
    const body = JSON.stringify({ id: 7, phone: 7, text: 'a'.repeat(1_100_000) });
    expect((await send(simulator, 7, { body })).status).toBe(413);
  });

  it('has no other route', async () => {
    const headers = { authorization: `Bearer ${TOKEN}` };
    expect((await call(`${simulator.url}/v1/send/1`, { headers })).status).toBe(405);
    expect((await call(`${simulator.url}/v1/else`, { headers })).status).toBe(404);
  });

  it('lets only the token pass that it was started with', async () => {
    expect((await send(simulator, 1, { token: 'another' })).status).toBe(401);
    expect((await send(simulator, 1, { token: jwt({}) })).status).toBe(401);
    expect((await send(simulator, 1, { headers: {} })).status).toBe(401);
    expect((await send(simulator, 1, { headers: { authorization: TOKEN } })).status).toBe(401);
    expect((await send(simulator, 1)).status).toBe(200);
  });
});

describe('the notification API without a token of its own', () => {
  let simulator: Simulator;
  beforeAll(async () => {
    simulator = await start({ token: undefined });
  });
  afterAll(() => simulator.close());

  it.each([
    ['without an end', jwt({ sub: 'posthorn' })],
    ['that ends in an hour', jwt({ exp: inSeconds(3_600) })],
  ])('lets any JWT pass %s', async (_, token) => {
    expect((await send(simulator, 1, { token })).status).toBe(200);
  });

  it.each([
    ['a JWT that has ended', jwt({ exp: inSeconds(-1) }), 'the token has expired'],
    ['two parts', 'a.b', 'the token is not a JWT'],
    ['claims that are no JSON', 'e30.bm8.c2ln', 'the token is not a JWT'],
    ['no signature', `${jwt({}).split('.').slice(0, 2).join('.')}.`, 'the token is not a JWT'],
  ])('refuses %s', async (_, token, message) => {
    const seen = await send(simulator, 1, { token });
    expect(seen.status).toBe(401);
    expect(JSON.parse(seen.body.toString())).toEqual({ code: 401, message });
  });
});

describe('the token settings', () => {
  it('expire every token on demand, and count it', async () => {
    const simulator = await start({ faults: faults({ token: { expired: true } }) });
    expect((await send(simulator, 1)).status).toBe(401);
    const { body } = await call(`${simulator.url}/faults`);
    expect(JSON.parse(body.toString())).toMatchObject({ fired: { expiredToken: 1 } });
    await simulator.close();
  });

  it('expire every token after a while', async () => {
    const simulator = await start({ faults: faults({ token: { expiresAfterMs: 300 } }) });
    expect((await send(simulator, 1)).status).toBe(200);
    const deadline = performance.now() + 5_000;
    while ((await send(simulator, 2)).status !== 401) {
      expect(performance.now()).toBeLessThan(deadline);
    }
    await simulator.close();
  });

  it('put another token into the place of the first', async () => {
    const simulator = await start({ faults: faults({ token: { accept: 'the-next' } }) });
    expect((await send(simulator, 1)).status).toBe(401);
    expect((await send(simulator, 1, { token: 'the-next' })).status).toBe(200);
    await simulator.close();
  });
});
