import { createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';

/** A request as it came over the wire. */
export interface ReceivedRequest {
  method: string;
  path: string;
  /** Names in lower case. */
  headers: Record<string, string>;
  body: Buffer;
}

/** What the provider does with a connection; all bytes that it writes are counted. */
export type Behaviour = (socket: Socket, request: ReceivedRequest) => void;

/**
 * A provider on a real socket, below HTTP, so that it can break every rule of it. One behaviour
 * answers all requests until the next is set.
 */
export class StandIn {
  readonly requests: ReceivedRequest[] = [];
  /** Sockets now open, and the most there ever were. */
  readonly sockets = new Set<Socket>();
  peakSockets = 0;
  bytesWritten = 0;

  private constructor(
    private readonly server: Server,
    public behaviour: Behaviour,
  ) {
    server.on('connection', (socket) => {
      this.serve(socket);
    });
  }

  static async start(behaviour: Behaviour): Promise<StandIn> {
    const server = createServer();
    const standIn = new StandIn(server, behaviour);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return standIn;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private serve(socket: Socket): void {
    this.sockets.add(socket);
    this.peakSockets = Math.max(this.peakSockets, this.sockets.size);
    let pending = Buffer.alloc(0);
    socket.setNoDelay(true);
    socket.on('error', () => undefined); // resets are expected
    socket.on('close', () => {
      this.sockets.delete(socket);
      this.bytesWritten += socket.bytesWritten;
    });
    socket.on('data', (chunk) => {
      pending = Buffer.concat([pending, chunk]);
      for (;;) {
        const parsed = parseRequest(pending);
        if (!parsed) return;
        pending = pending.subarray(parsed.length);
        this.requests.push(parsed.request);
        this.behaviour(socket, parsed.request);
      }
    });
  }
}

function parseRequest(bytes: Buffer): { request: ReceivedRequest; length: number } | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [start = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => {
      const [name = '', value = ''] = line.split(/:\s*(.*)/s);
      return [name.toLowerCase(), value];
    }),
  );
  const length = end + 4 + Number(headers['content-length'] ?? 0);
  if (bytes.length < length) return undefined;
  const [method = '', path = ''] = start.split(' ');
  return { request: { method, path, headers, body: bytes.subarray(end + 4, length) }, length };
}

export interface StandInAnswer {
  status: number;
  body: string | Buffer;
  headers?: Record<string, string>;
}

/** A whole answer that states its length. */
export function answer({ status, body, headers = {} }: StandInAnswer): Behaviour {
  return raw(head(status, { 'content-length': String(Buffer.byteLength(body)), ...headers }), body);
}

/** These bytes and nothing else; the connection stays open. */
export function raw(...parts: (string | Buffer)[]): Behaviour {
  return (socket) => {
    for (const part of parts) socket.write(part);
  };
}

export function head(status: number, headers: Record<string, string> = {}): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} Whatever\r\n${lines.join('')}\r\n`;
}

/** Does `first`, then ends the connection: with FIN, or with RST as a crash does. */
export function thenBreak(first: Behaviour, how: 'end' | 'reset'): Behaviour {
  return (socket, request) => {
    first(socket, request);
    // Written bytes must leave before an RST, which would otherwise throw them away.
    setTimeout(() => (how === 'end' ? socket.end() : socket.resetAndDestroy()), 20);
  };
}

export const hang: Behaviour = () => undefined;

/** One byte every 20 ms: the answer is whole only after a long time. */
export function drip({ status, body }: StandInAnswer): Behaviour {
  return (socket) => {
    const bytes = Buffer.from(
      head(status, { 'content-length': String(Buffer.byteLength(body)) }) + body.toString(),
    );
    let sent = 0;
    const timer = setInterval(() => socket.write(bytes.subarray(sent, ++sent)), 20);
    socket.on('close', () => {
      clearInterval(timer);
    });
  };
}

/** A body without end, as fast as it is taken. */
export function flood(headers: Record<string, string>, chunk: Buffer): Behaviour {
  return (socket) => {
    socket.write(head(200, headers));
    const pour = (): void => {
      while (!socket.destroyed && socket.write(chunk));
    };
    socket.on('drain', pour);
    pour();
  };
}

/** Of a chunked body. */
export function chunkOf(size: number): Buffer {
  return Buffer.from(`${size.toString(16)}\r\n${' '.repeat(size)}\r\n`);
}

export async function until(condition: () => boolean): Promise<void> {
  for (const end = performance.now() + 5_000; !condition();) {
    if (performance.now() > end) throw new Error('waited for 5 s without a result');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const deep = `${'['.repeat(5_000)}${']'.repeat(5_000)}`;

/** Bodies of JSON, valid and nearly valid, that break a careless reader. */
export const JUNK: readonly string[] = [
  deep,
  `{"code":${deep}}`,
  `{"code":1,"message":${deep},"error":{"message":${deep}}}`,
  `{"code":${'{"":'.repeat(5_000)}0${'}'.repeat(5_000)}}`,
  '{"__proto__":{"code":0}}',
  '{"code":{"toJSON":1,"length":-1}}',
  '\u0000'.repeat(1_000),
  '\ud800"\udfff',
];
