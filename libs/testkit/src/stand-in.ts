import type { ReceivedMessage } from './evidence.js';
import { startProcess, type RunningProcess } from './process.js';

/** The answer of `GET /received`, as far as it is used here. */
export interface ReceivedTotals {
  requests: number;
  oks: number;
  delivered: number;
  accepted: { requests: number; messages: number; duplicates: number };
}

export interface ReceivedInFull extends ReceivedMessage {
  requests: number;
  phone: number | null;
  text: string | null;
  okTimes: number[];
}

/** One request of a message. */
export interface ReceivedRequest {
  at: number;
  status: number | null;
  accepted: boolean;
  okAt: number | null;
  phone: number | null;
  text: string | null;
}

const PAGE = 10_000;

/** The provider's stand-in, a process of its own, with its control routes. */
export class StandIn {
  private constructor(
    readonly process: RunningProcess,
    readonly token: string,
  ) {}

  static async start(token: string, path: string | undefined): Promise<StandIn> {
    const environment = { PATH: path, SIMULATOR_PORT: '0', SIMULATOR_TOKEN: token };
    return new StandIn(await startProcess('simulator', environment), token);
  }

  get port(): number {
    return Number(new URL(this.process.url).port);
  }

  /** Replaces all fault settings; in force when it resolves. */
  async faults(settings: Record<string, unknown>): Promise<void> {
    await this.request('PUT', '/faults', settings);
  }

  totals(): Promise<ReceivedTotals> {
    return this.request('GET', '/received');
  }

  /** Everything that came in, by message. */
  async received(): Promise<ReceivedInFull[]> {
    const all: ReceivedInFull[] = [];
    let cursor: string | null = '0';
    while (cursor !== null) {
      const page: { items: ReceivedInFull[]; nextCursor: string | null } = await this.request(
        'GET',
        `/received/messages?limit=${PAGE}&cursor=${cursor}`,
      );
      all.push(...page.items);
      cursor = page.nextCursor;
    }
    return all;
  }

  /** All requests of one message, oldest first. */
  async requestsOf(id: number): Promise<ReceivedRequest[]> {
    const message: { log: ReceivedRequest[] } = await this.request(
      'GET',
      `/received/messages/${id}`,
    );
    return message.log;
  }

  /** When each request arrived. */
  timeline(): Promise<number[]> {
    return this.request('GET', '/received/timeline');
  }

  private async request<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${this.process.url}${path}`, {
      method,
      ...(body !== undefined && {
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json' },
      }),
      signal: AbortSignal.timeout(20_000),
    });
    if (!response.ok) {
      throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    }
    return (await response.json()) as T;
  }
}
