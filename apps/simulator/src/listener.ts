import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const REOPEN_TRIES = 50;
const REOPEN_PAUSE_MS = 100;

/** One TCP port that can be closed for real, so that connections are refused, and opened again. */
export class Listener {
  private server: Server | undefined;
  private readonly sockets = new Set<Socket>();

  constructor(
    private readonly handler: RequestListener,
    private readonly host: string,
    private wantedPort: number,
  ) {}

  /** The real port, once it was open: port 0 becomes the free one that was found. */
  get port(): number {
    return this.wantedPort;
  }

  /** @throws what `listen` throws, e.g. EADDRINUSE. */
  async open(): Promise<void> {
    if (this.server) return;
    const server = createServer({ noDelay: true, keepAliveTimeout: 0 }, this.handler);
    server.on('connection', (socket) => {
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
    });
    this.server = server;
    try {
      server.listen(this.wantedPort, this.host);
      await once(server, 'listening');
    } catch (error) {
      this.server = undefined;
      throw error;
    }
    this.wantedPort = (server.address() as AddressInfo).port;
  }

  /** While it was closed, a passing connection of another process may have borrowed the port. */
  async reopen(): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      try {
        await this.open();
        return;
      } catch (error) {
        if (tries === REOPEN_TRIES) throw error;
        await sleep(REOPEN_PAUSE_MS);
      }
    }
  }

  /** Stops listening and cuts every connection at once, except the one given. */
  cut(except?: Socket): void {
    this.server?.close();
    this.server = undefined;
    for (const socket of this.sockets) if (socket !== except) socket.destroy();
  }

  /** Stops listening, gives requests on their way so many milliseconds, then cuts them. */
  async close(graceMs: number): Promise<void> {
    const { server } = this;
    if (!server) {
      this.cut();
      return;
    }
    const closed = once(server, 'close');
    server.close();
    await Promise.race([closed, sleep(graceMs, undefined, { ref: false })]);
    this.cut();
  }
}
