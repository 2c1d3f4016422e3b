import { systemClock, type Clock } from '@app/platform';

import { describeChannel } from '../channel.conformance.js';
import type { OutgoingMessage } from '../channel.js';
import { answer, StandIn, type ReceivedRequest } from '../stand-in.conformance.js';
import { NotificationApiChannel } from './notification-api.channel.js';

const TOKEN = 'eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjIwMDAwMDAwMDB9.c2lnbmF0dXJl';

function readRequest({ method, path, headers, body }: ReceivedRequest): OutgoingMessage {
  expect(method).toBe('POST');
  expect(headers).toMatchObject({
    authorization: `Bearer ${TOKEN}`,
    'content-type': 'application/json',
  });
  const json = JSON.parse(body.toString()) as { id: number; phone: number; text: string };
  expect(path).toBe(`/v1/send/${json.id}`);
  expect(Object.keys(json)).toEqual(['id', 'phone', 'text']);
  expect(typeof json.phone).toBe('number');
  return { id: json.id, address: String(json.phone), content: { text: json.text } };
}

const json = { 'content-type': 'application/json' };

describeChannel('the notification API', {
  open: (origin, limits) =>
    new NotificationApiChannel({ baseUrl: `${origin}/v1`, token: () => TOKEN, ...limits }),
  read: readRequest,
  answers: {
    accepted: { status: 200, body: '{"code":0,"message":"OK"}', headers: json },
    rejected: { status: 400, body: '{"message":"no such phone"}', headers: json },
    unauthorized: { status: 401, body: '{"message":"token expired"}', headers: json },
    slowDown: { status: 429, body: '', headers: { 'retry-after': '7' } },
    troubled: { status: 503, body: 'try again' },
  },
});

describe('NotificationApiChannel', () => {
  const accept = answer({ status: 200, body: '{"code":0}' });
  const message = { id: 5, address: '79991234567', content: { text: 'Hello' } };
  const later = (): number => performance.now() + 30_000;
  let provider: StandIn;
  let channel: NotificationApiChannel | undefined;

  const open = (token: () => string, base = `${provider.origin}/v1`): NotificationApiChannel =>
    (channel = new NotificationApiChannel({ baseUrl: base, token, concurrency: 1 }));

  beforeEach(async () => {
    provider = await StandIn.start(accept);
  });

  afterEach(async () => {
    await channel?.close();
    await provider.stop();
  });

  it('writes exactly what the provider asks for', async () => {
    await open(() => TOKEN).send(message, later());
    expect(provider.requests[0]?.body.toString()).toBe(
      '{"id":5,"phone":79991234567,"text":"Hello"}',
    );
  });

  it('sends to the path of the base URL, with or without a slash at its end', async () => {
    for (const base of ['/v1', '/v1/', '/a/b//', '/', '']) {
      await open(() => TOKEN, provider.origin + base).send(message, later());
      await channel?.close();
    }
    const paths = provider.requests.map(({ path }) => path);
    expect(paths).toEqual(['/v1/send/5', '/v1/send/5', '/a/b/send/5', '/send/5', '/send/5']);
  });

  it('uses a replaced token from the next call on', async () => {
    let token = 'first';
    open(() => token);
    await channel?.send(message, later());
    token = 'second';
    await channel?.send(message, later());
    const used = provider.requests.map(({ headers }) => headers.authorization);
    expect(used).toEqual(['Bearer first', 'Bearer second']);
  });

  it.each([
    ['is empty', () => ''],
    ['could not be a header', () => 'a\r\nx-evil: 1'],
    [
      'cannot be had',
      () => {
        throw new Error('wrong key');
      },
    ],
  ])('sends nothing when the token %s', async (_, token) => {
    const outcome = await open(token).send(message, later());
    expect(outcome).toMatchObject({ kind: 'unavailable', scope: 'auth' });
    expect(provider.peakSockets).toBe(0);
  });

  it('sends nothing to what is no phone number', async () => {
    const outcome = await open(() => TOKEN).send({ ...message, address: '7999"}' }, later());
    expect(outcome).toMatchObject({ kind: 'rejected', code: 'bad_phone' });
    expect(provider.peakSockets).toBe(0);
  });

  it('limits connecting to 3 s, and reports that nothing was written', async () => {
    // A provider that knows nothing of TLS leaves the handshake unanswered: not yet connected.
    const base = `https://127.0.0.1:${provider.port}`;
    const started = performance.now();
    const outcome = await open(() => TOKEN, base).send(message, later());
    const down = { kind: 'unavailable', scope: 'down', code: 'connect_timeout' };
    expect(outcome).toMatchObject(down);
    expect(performance.now() - started).toBeGreaterThan(2_900);
    expect(performance.now() - started).toBeLessThan(6_000);
  });

  it('gives the whole call 15 s, and then does not know', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
    try {
      provider.behaviour = () => undefined;
      const sending = open(() => TOKEN).send(message, later());
      let ended = false;
      void sending.then(() => (ended = true));
      while (provider.requests.length === 0) await new Promise(setImmediate);

      await jest.advanceTimersByTimeAsync(14_900);
      expect(ended).toBe(false);
      await jest.advanceTimersByTimeAsync(200);
      await expect(sending).resolves.toMatchObject({ kind: 'unknown', code: 'timeout' });
    } finally {
      jest.useRealTimers();
    }
  });

  describe('whose clock does not go with its timers', () => {
    const openAt = (monotonic: Clock['monotonic']): NotificationApiChannel =>
      (channel = new NotificationApiChannel({
        baseUrl: `${provider.origin}/v1`,
        token: () => TOKEN,
        concurrency: 1,
        clock: { ...systemClock, monotonic },
      }));

    it('writes nothing after the deadline although no timer has fired', async () => {
      let now = 0;
      const sending = openAt(() => now).send(message, 10_000);
      now = 10_000; // while connecting
      await expect(sending).resolves.toMatchObject({ kind: 'skipped', code: 'deadline' });
      expect(provider.requests).toEqual([]);
    });

    it('writes nothing that it has called skipped', async () => {
      let finishFirst = (): void => undefined;
      provider.behaviour = (socket, request) => {
        finishFirst = () => {
          accept(socket, request);
        };
      };
      openAt(() => 0);
      const first = channel?.send(message, 10_000);
      const waiting = await channel?.send({ ...message, id: 6 }, 50);
      expect(waiting).toMatchObject({ kind: 'skipped' });

      finishFirst();
      await expect(first).resolves.toMatchObject({ kind: 'delivered' });
      provider.behaviour = accept;
      await channel?.send({ ...message, id: 7 }, 10_000);
      expect(provider.requests.map(({ path }) => path)).toEqual(['/v1/send/5', '/v1/send/7']);
    });
  });

  it('refuses a base that is no URL', () => {
    expect(() => open(() => TOKEN, 'provider')).toThrow('Invalid URL');
  });
});
