import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** `up` leads from the client to the target. */
export type Direction = 'up' | 'down';

/** How a new connection is treated: it works, is refused, or is accepted and never answered. */
export type Admission = 'forward' | 'refuse' | 'swallow';

/** Below the range of ephemeral ports: a port that is closed for a while stays free to be opened again. */
const FIRST_PORT = 20_000;
const PORTS = 10_000;
const HOST = '127.0.0.1';

/**
 * A TCP proxy on the loopback interface whose wire can be cut, frozen, slowed and broken at any
 * time. It stands between our processes and one of their services.
 */
export class FaultProxy {
  private readonly links = new Set<Link>();
  private server: Server | undefined;
  private admission: Admission = 'forward';
  private readonly wire: Wire = { delayMs: 0, dropped: new Set() };
  private most = 0;

  private constructor(
    private readonly targetPort: number,
    readonly port: number,
  ) {}

  static async start(targetPort: number): Promise<FaultProxy> {
    for (;;) {
      const proxy = new FaultProxy(targetPort, FIRST_PORT + Math.floor(Math.random() * PORTS));
      try {
        await proxy.listen();
        return proxy;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
      }
    }
  }

  /** Connections that a client holds now. */
  get connections(): number {
    return [...this.links].filter((link) => link.isHeld).length;
  }

  /** The most that were held at a time. */
  get mostConnections(): number {
    return this.most;
  }

  /** Ends all connections with a TCP reset. @returns how many there were. */
  cut(): number {
    const held = this.connections;
    for (const link of this.links) link.reset();
    return held;
  }

  /** Refuses new connections and cuts those that are open: the service is down. */
  async refuse(): Promise<void> {
    this.admission = 'refuse';
    const { server } = this;
    this.server = undefined;
    const closed = server && once(server, 'close');
    server?.close();
    this.cut();
    await closed;
  }

  /**
   * Turns the open connections into half-open ones: whatever either side writes from now on
   * disappears, and neither is told that the other has closed. New connections are not affected.
   */
  freeze(): number {
    for (const link of this.links) link.freeze();
    return this.links.size;
  }

  /** Takes new connections and never answers on them; those that are open are frozen. */
  swallow(): void {
    this.admission = 'swallow';
    this.freeze();
  }

  /** Holds back every piece of data for so long, in both directions; new and open connections. */
  delay(ms: number): void {
    this.wire.delayMs = ms;
  }

  /** Loses everything that goes in this direction; new and open connections. */
  drop(direction: Direction): void {
    this.wire.dropped.add(direction);
    // What was lost cannot come back: such a connection never works again.
    for (const link of this.links) link.lose(direction);
  }

  /** New connections work again. Frozen ones stay frozen, as on a real network their data is lost. */
  async heal(): Promise<void> {
    this.wire.delayMs = 0;
    this.wire.dropped.clear();
    if (this.admission === 'refuse') await this.listen();
    this.admission = 'forward';
  }

  async close(): Promise<void> {
    await this.refuse();
  }

  private async listen(): Promise<void> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
      this.take(client);
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.port, HOST, resolve);
    });
    this.server = server;
  }

  private take(client: Socket): void {
    const target = connect({ port: this.targetPort, host: HOST, allowHalfOpen: true });
    target.setNoDelay(true);
    const link = new Link(client, target, this.wire, () => this.links.delete(link));
    this.links.add(link);
    if (this.admission === 'swallow') link.freeze();
    for (const direction of this.wire.dropped) link.lose(direction);
    this.most = Math.max(this.most, this.connections);
  }
}

/** The state of the wire that all links share. */
interface Wire {
  delayMs: number;
  readonly dropped: Set<Direction>;
}

/** One connection of a client and its other half. */
class Link {
  private readonly lost = new Set<Direction>();

  constructor(
    private readonly client: Socket,
    private readonly target: Socket,
    private readonly wire: Wire,
    private readonly forget: () => void,
  ) {
    this.pump('up', client, target);
    this.pump('down', target, client);
  }

  get isHeld(): boolean {
    return !this.client.destroyed;
  }

  lose(direction: Direction): void {
    this.lost.add(direction);
  }

  freeze(): void {
    this.lose('up');
    this.lose('down');
  }

  reset(): void {
    this.client.resetAndDestroy();
    this.target.resetAndDestroy();
  }

  private pump(direction: Direction, from: Socket, to: Socket): void {
    let last = Promise.resolve();
    /** One after the other, each as late as the wire says. */
    const later = (act: () => void) => {
      if (this.wire.delayMs === 0) {
        last = last.then(act);
        return;
      }
      const due = performance.now() + this.wire.delayMs;
      last = last.then(() => pause(due - performance.now())).then(act);
    };
    const gone = () => this.lost.has(direction);
    from.on('data', (chunk: Buffer) => {
      if (gone()) return;
      later(() => {
        if (gone() || to.destroyed || to.write(chunk)) return;
        from.pause();
        to.once('drain', () => from.resume());
      });
    });
    from.on('end', () => {
      if (gone()) return;
      later(() => to.end());
    });
    from.on('error', () => undefined);
    from.on('close', (hadError) => {
      if (!gone()) {
        later(() => {
          if (hadError) to.resetAndDestroy();
          else to.destroySoon();
        });
      }
      if (this.client.destroyed && this.target.destroyed) this.forget();
    });
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}
