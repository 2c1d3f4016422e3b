import { startProcess } from '@app/testkit';

/** For the stand-in alone: header and claims of a JWT that never ends. */
export const PROVIDER_TOKEN = 'eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjQxMDI0NDQ4MDB9.c2ln';

/** What came in at the provider's stand-in. Times are milliseconds since 1970. */
export interface Received {
  requests: number;
  messages: number;
  delivered: number;
  duplicates: number;
  firstAt: number;
  lastAt: number;
}

/** The provider's stand-in: the receiving end that all measurements share. */
export class Simulator {
  private constructor(
    readonly url: string,
    readonly pid: number,
    readonly stop: () => Promise<unknown>,
  ) {}

  static async start(): Promise<Simulator> {
    const running = await startProcess('simulator', {
      SIMULATOR_PORT: '0',
      SIMULATOR_TOKEN: PROVIDER_TOKEN,
    });
    return new Simulator(running.url, running.pid, () => running.stop());
  }

  /** Base of the provider's API. */
  get providerUrl(): string {
    return `${this.url}/v1`;
  }

  async forget(): Promise<void> {
    await this.call('DELETE', '/received');
  }

  async received(): Promise<Received> {
    return (await this.call('GET', '/received')) as Received;
  }

  /** When each request arrived, in no order. */
  async timeline(): Promise<number[]> {
    return (await this.call('GET', '/received/timeline')) as number[];
  }

  /** Time between a whole request and its answer from now on, ms. */
  async setLatency(ms: number): Promise<void> {
    await this.call('PUT', '/faults', { latency: { distribution: 'fixed', ms } });
  }

  async noLatency(): Promise<void> {
    await this.call('POST', '/faults/reset');
  }

  /** @throws Error unless each of so many messages came in once and was answered OK once. */
  async checkEachOnce(messages: number): Promise<Received> {
    const received = await this.received();
    const { requests, delivered, duplicates } = received;
    if (requests === messages && delivered === messages && duplicates === 0) return received;
    throw new Error(
      `of ${messages} messages the stand-in answered ${delivered} with OK, ${duplicates} of them ` +
        `more than once, in ${requests} requests`,
    );
  }

  private async call(method: string, path: string, body?: object): Promise<unknown> {
    const answer = await fetch(this.url + path, {
      method,
      ...(body && {
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  }
}
