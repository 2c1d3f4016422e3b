import { gzipSync } from 'node:zlib';

import type { Channel, Outcome, OutgoingMessage } from './channel.js';
import {
  answer,
  chunkOf,
  drip,
  flood,
  hang,
  head,
  JUNK,
  raw,
  StandIn,
  thenBreak,
  until,
  type Behaviour,
  type ReceivedRequest,
  type StandInAnswer,
} from './stand-in.conformance.js';

/** A channel's own protocol, for the suite to simulate its provider. */
export interface ChannelHarness {
  /** A channel to a provider at `origin` (`http://127.0.0.1:port`). */
  open: (origin: string, limits: { concurrency: number; callTimeoutMs: number }) => Channel;
  /** The message in a request; throws if the request is not what the protocol asks for. */
  read: (request: ReceivedRequest) => OutgoingMessage;
  answers: {
    accepted: StandInAnswer;
    rejected: StandInAnswer;
    unauthorized: StandInAnswer;
    /** Asks to wait for 7 s. */
    slowDown: StandInAnswer;
    /** Says that it did not take the message, now. */
    troubled: StandInAnswer;
  };
}

const CALL_TIMEOUT = 400;
const CONCURRENCY = 4;
const MB = 1_024 * 1_024;

/** What every channel guarantees its caller, tested over real sockets. */
export function describeChannel(name: string, harness: ChannelHarness): void {
  const { accepted, rejected, unauthorized, slowDown, troubled } = harness.answers;
  const accept = answer(accepted);
  const length = { 'content-length': String(Buffer.byteLength(accepted.body)) };
  const half = Buffer.from(accepted.body).subarray(0, Buffer.byteLength(accepted.body) / 2);

  describe(`${name} as a channel`, () => {
    let provider: StandIn;
    let channel: Channel;

    const message = (id = 1): OutgoingMessage => ({
      id,
      address: '79991234567',
      content: { text: `Hello ${id}` },
    });
    const soon = (ms = 30_000): number => performance.now() + ms;
    const send = (behaviour: Behaviour, deadline = soon()): Promise<Outcome> => {
      provider.behaviour = behaviour;
      return channel.send(message(), deadline);
    };

    beforeEach(async () => {
      provider = await StandIn.start(accept);
      channel = harness.open(provider.origin, {
        concurrency: CONCURRENCY,
        callTimeoutMs: CALL_TIMEOUT,
      });
    });

    afterEach(async () => {
      await channel.close();
      await provider.stop();
    });

    it.each([
      ['4,096 characters', 'я'.repeat(4_096)],
      ['emoji', '👩‍👩‍👧‍👦🏳️‍🌈 👋🏽'],
      ['right-to-left text', 'שלום \u202Bمرحبا\u202C'],
      ['quotes, backslashes, lines', '"a"\\b\\u0041\r\n\t\u2028</script>'],
    ])('delivers %s unchanged', async (_, text) => {
      const sent = { ...message(9_007_199_254_740_991), content: { text } };
      await expect(channel.send(sent, soon())).resolves.toMatchObject({ kind: 'delivered' });
      expect(provider.requests.map(harness.read)).toEqual([sent]);
    });

    it('tells what the provider said', async () => {
      await expect(send(answer(rejected))).resolves.toMatchObject({ kind: 'rejected' });
      await expect(send(answer(troubled))).resolves.toMatchObject({ kind: 'retry' });
      const auth = { kind: 'unavailable', scope: 'auth' };
      await expect(send(answer(unauthorized))).resolves.toMatchObject(auth);
      const rate = { kind: 'unavailable', scope: 'rate', retryAfterMs: 7_000 };
      await expect(send(answer(slowDown))).resolves.toMatchObject(rate);
      expect(provider.requests).toHaveLength(4);
    });

    it('writes nothing after the deadline', async () => {
      await expect(send(accept, performance.now())).resolves.toMatchObject({ kind: 'skipped' });
      expect(provider.peakSockets).toBe(0);
    });

    it('writes nothing when the process was blocked until after the deadline', async () => {
      const sending = send(accept, soon(50));
      const wake = soon(100);
      while (performance.now() < wake);
      await expect(sending).resolves.toMatchObject({ kind: 'skipped' });
      expect(provider.requests).toEqual([]);
    });

    it('writes nothing when all connections were busy until the deadline', async () => {
      provider.behaviour = hang;
      const first = Array.from({ length: CONCURRENCY }, (_, id) =>
        channel.send(message(id), soon()),
      );
      const waiting = await channel.send(message(99), soon(100));
      expect(waiting).toMatchObject({ kind: 'skipped' });
      await Promise.all(first);
      provider.behaviour = accept;
      await channel.send(message(100), soon());
      expect(provider.requests.map(harness.read).map(({ id }) => id)).toEqual([0, 1, 2, 3, 100]);
    });

    it('knows that a refused connection carried nothing', async () => {
      await provider.stop();
      const down = { kind: 'unavailable', scope: 'down', code: 'refused' };
      await expect(channel.send(message(), soon())).resolves.toMatchObject(down);
      provider = await StandIn.start(accept);
    });

    it.each<[string, string, Behaviour]>([
      ['hangs', 'timeout', hang],
      ['drips', 'timeout', drip(accepted)],
      ['stops in the middle', 'timeout', raw(head(200, length), half)],
      ['closes without an answer', 'reset', thenBreak(hang, 'end')],
      ['resets without an answer', 'reset', thenBreak(hang, 'reset')],
      ['closes in the head', 'reset', thenBreak(raw('HTTP/1.1 200 OK\r\ncont'), 'end')],
      ['closes in the body', 'truncated', thenBreak(raw(head(200, length), half), 'end')],
      ['resets in the body', 'truncated', thenBreak(raw(head(200, length), half), 'reset')],
      [
        'closes in a chunked body',
        'truncated',
        thenBreak(raw(head(200, { 'transfer-encoding': 'chunked' }), '5\r\n{"cod\r\n'), 'end'),
      ],
      [
        'closes in a chunked body, as announced',
        'truncated',
        thenBreak(
          raw(head(200, { 'transfer-encoding': 'chunked', connection: 'close' }), '5\r\n{"cod\r\n'),
          'end',
        ),
      ],
      ['closes in a body of unstated length', 'truncated', thenBreak(raw(head(200), half), 'end')],
      [
        'cuts an answer and states the wrong length',
        'truncated',
        answer({ status: 200, body: half }),
      ],
      ['does not speak HTTP', 'protocol', raw('220 mail.example ESMTP\r\n')],
      [
        'cuts compressed data',
        'truncated',
        answer({
          status: 200,
          body: gzipSync(accepted.body).subarray(0, 25),
          headers: { 'content-encoding': 'gzip' },
        }),
      ],
      [
        'sends what it did not compress as compressed',
        'garbled',
        answer({ ...accepted, headers: { 'content-encoding': 'gzip' } }),
      ],
      [
        'compresses in an unknown way',
        'garbled',
        answer({ ...accepted, headers: { 'content-encoding': 'rot13' } }),
      ],
      ['sends endless headers', 'too_large', raw(`HTTP/1.1 200 OK\r\nx: ${'x'.repeat(70_000)}`)],
    ])(
      'does not know what became of a message when the provider %s',
      async (_, code, behaviour) => {
        const started = performance.now();
        await expect(send(behaviour)).resolves.toMatchObject({ kind: 'unknown', code });
        expect(performance.now() - started).toBeLessThan(CALL_TIMEOUT + 1_000);
        expect(provider.requests).toHaveLength(1);

        await expect(send(accept)).resolves.toMatchObject({ kind: 'delivered' });
      },
    );

    it('does not wait for an answer beyond the deadline', async () => {
      const longLimit = { concurrency: 1, callTimeoutMs: 20_000 };
      channel = harness.open(provider.origin, longLimit);
      const started = performance.now();
      const timeout = { kind: 'unknown', code: 'timeout' };
      await expect(send(hang, soon(100))).resolves.toMatchObject(timeout);
      expect(performance.now() - started).toBeLessThan(10_000);
    });

    it.each<[string, Behaviour]>([
      ['100 MB', flood({ 'content-length': String(100 * MB) }, Buffer.alloc(MB, ' '))],
      ['chunks without end', flood({ 'transfer-encoding': 'chunked' }, chunkOf(64 * 1_024))],
      [
        'a gzip bomb',
        answer({
          status: 200,
          body: gzipSync(Buffer.alloc(50 * MB, ' ')),
          headers: { 'content-encoding': 'gzip' },
        }),
      ],
    ])('takes in little of %s', async (_, behaviour) => {
      const before = process.memoryUsage().arrayBuffers;
      const tooLarge = { kind: 'unknown', code: 'too_large' };
      await expect(send(behaviour)).resolves.toMatchObject(tooLarge);
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * MB);
      const [socket] = provider.sockets;
      expect(socket?.bytesWritten ?? provider.bytesWritten).toBeLessThan(16 * MB);
    });

    it('waits for the answer after early hints', async () => {
      const behaviour: Behaviour = (socket, request) => {
        socket.write(head(103, { link: '</style.css>; rel=preload' }));
        accept(socket, request);
      };
      await expect(send(behaviour)).resolves.toMatchObject({ kind: 'delivered' });
    });

    it('reads on after 100 Continue, however often and however cut', async () => {
      const interim = 'HTTP/1.1 100 Continue\r\n\r\n';
      const once: Behaviour = (socket, request) => {
        socket.write(interim);
        accept(socket, request);
      };
      await expect(send(once)).resolves.toMatchObject({ kind: 'delivered' });
      const inPieces: Behaviour = (socket, request) => {
        socket.write(`${interim}HTTP/1.1 10`);
        setTimeout(() => {
          socket.write('0 Continue\r\n\r\n');
          accept(socket, request);
        }, 20);
      };
      await expect(send(inPieces)).resolves.toMatchObject({ kind: 'delivered' });
      await expect(send(accept)).resolves.toMatchObject({ kind: 'delivered' });
    });

    it('reads an answer that came in time while the process was blocked', async () => {
      const answered = new Promise<void>((resolve) => {
        provider.behaviour = (socket, request) => {
          accept(socket, request);
          resolve();
        };
      });
      const sending = channel.send(message(), soon());
      await answered;
      const wake = performance.now() + CALL_TIMEOUT + 100;
      while (performance.now() < wake);
      await expect(sending).resolves.toMatchObject({ kind: 'delivered' });
    });

    it.each([200, 400, 422, 503])(
      'makes an outcome of JSON of any depth and of any junk, with status %i',
      async (status) => {
        for (const body of JUNK) {
          const { kind } = await send(answer({ status, body }));
          expect(['delivered', 'skipped']).not.toContain(kind);
        }
      },
    );

    it('reads a compressed answer', async () => {
      const body = gzipSync(accepted.body);
      const headers = { 'content-encoding': 'gzip' };
      const delivered = { kind: 'delivered' };
      await expect(send(answer({ ...accepted, body, headers }))).resolves.toMatchObject(delivered);
    });

    it('follows no redirect', async () => {
      const elsewhere = await StandIn.start(accept);
      const headers = { location: `${elsewhere.origin}/somewhere` };
      for (const status of [301, 302, 307, 308]) {
        const outcome = await send(answer({ status, body: '', headers }));
        expect(outcome).toMatchObject({ kind: 'retry', code: `http_${status}` });
      }
      expect(elsewhere.peakSockets).toBe(0);
      await elsewhere.stop();
    });

    it('takes a new connection when the provider closed the idle one', async () => {
      provider.behaviour = (socket, request) => {
        accept(socket, request);
        setImmediate(() => socket.end());
      };
      for (let id = 1; id <= 30; id++) {
        await expect(channel.send(message(id), soon())).resolves.toMatchObject({
          kind: 'delivered',
        });
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
      expect(provider.requests).toHaveLength(30);
    });

    it('keeps to its connections and reuses them', async () => {
      const sends = Array.from({ length: 200 }, (_, id) => channel.send(message(id), soon()));
      const kinds = new Set((await Promise.all(sends)).map(({ kind }) => kind));
      expect([...kinds]).toEqual(['delivered']);
      expect(provider.peakSockets).toBe(CONCURRENCY);
    });

    it('frees its connections, and then sends nothing', async () => {
      await send(accept);
      await channel.close();
      await until(() => provider.sockets.size === 0);
      await expect(send(accept)).resolves.toMatchObject({ kind: 'skipped' });
      expect(provider.requests).toHaveLength(1);
    });

    it('lets a call under way end before it closes', async () => {
      let finish = (): void => undefined;
      const sending = send((socket, request) => {
        finish = () => {
          accept(socket, request);
        };
      });
      await until(() => provider.requests.length === 1);
      const closing = channel.close();
      finish();
      await closing;
      await expect(sending).resolves.toMatchObject({ kind: 'delivered' });
    });
  });
}
