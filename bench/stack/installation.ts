import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type RunningProcess, startProcess } from '@app/testkit';
import { Api } from './api.js';
import { PROVIDER_TOKEN } from './simulator.js';
import { peakRss } from './usage.js';

export interface InstallationOptions {
  databaseUrl: string;
  queueUrl: string;
  providerUrl: string;
  /** Worker processes. Default 1. */
  workers?: number;
  /** Neither beat nor workers: nothing moves by itself. */
  apiOnly?: boolean;
  /** Calls at a time of each worker. Default: what an installation has that does not set it. */
  concurrency?: number;
  /** The folder of another, built checkout whose processes are measured. */
  checkout?: string;
}

/** Memory at its highest, MB of RSS; of several workers the largest. */
export interface PeakRss {
  api: number;
  beat: number;
  worker: number;
}

/** What the image sets for Node, so that what is measured is what is installed. */
function nodeOptionsOfImage(): string {
  const options = /^ENV NODE_OPTIONS=(.+)$/m.exec(readFileSync('Dockerfile', 'utf8'))?.[1];
  if (!options) throw new Error('The Dockerfile sets no NODE_OPTIONS');
  return options;
}

const READY_LIMIT_MS = 30_000;

/** The real processes, as an installation runs them: api, beat, workers. */
export class Installation {
  private constructor(
    readonly api: Api,
    private readonly processes: RunningProcess[],
  ) {}

  static async open(options: InstallationOptions): Promise<Installation> {
    const { databaseUrl, queueUrl, providerUrl, workers = 1, apiOnly, concurrency } = options;
    const build = options.checkout === undefined ? {} : { checkout: options.checkout };
    const key = randomBytes(16).toString('hex');
    const environment = {
      NODE_OPTIONS: nodeOptionsOfImage(),
      DATABASE_URL: databaseUrl,
      QUEUE_URL: queueUrl,
      NOTIFICATION_API_URL: providerUrl,
      NOTIFICATION_API_TOKEN: PROVIDER_TOKEN,
      ADMIN_TOKEN: key,
      ENCRYPTION_KEY: key,
      API_HOST: '127.0.0.1',
      API_PORT: '0',
      BEAT_PORT: '0',
      WORKER_PORT: '0',
      ...(concurrency && { DELIVERY_CONCURRENCY: String(concurrency) }),
    };
    const others = apiOnly ? [] : (['beat', ...Array<'worker'>(workers).fill('worker')] as const);
    const names = ['api', ...others] as const;
    const started = await Promise.allSettled(
      names.map((name) => startProcess(name, environment, build)),
    );
    const processes = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    const installation = new Installation(new Api(processes[0]?.url ?? '', key), processes);
    try {
      const failed = started.find((one) => one.status === 'rejected');
      if (failed) throw failed.reason;
      await installation.untilReady();
      return installation;
    } catch (error) {
      await installation.close();
      throw error;
    }
  }

  pids(name: RunningProcess['name']): number[] {
    return this.processes.filter((one) => one.name === name).map(({ pid }) => pid);
  }

  peaks(): PeakRss {
    const most = (name: RunningProcess['name']) => Math.max(...this.pids(name).map(peakRss));
    return { api: most('api'), beat: most('beat'), worker: most('worker') };
  }

  /** @throws Error when one of them does not end with status 0. */
  async close(): Promise<void> {
    const exits = await Promise.all(
      this.processes.map(async (one) => ({ name: one.name, ...(await one.stop()) })),
    );
    const bad = exits.find(({ code }) => code !== 0);
    if (bad)
      throw new Error(`${bad.name} ended with ${bad.signal ?? `status ${String(bad.code)}`}`);
  }

  private async untilReady(): Promise<void> {
    await Promise.all(
      this.processes.map((one) => {
        if (one.name === 'worker') return one.waitForLog(says('consuming'), READY_LIMIT_MS);
        if (one.name === 'beat') return one.waitForLog(says('leading'), READY_LIMIT_MS);
        return answers(`${one.url}/health/ready`);
      }),
    );
  }
}

const says = (message: string) => (line: string) => line.includes(`"msg":"${message}"`);

async function answers(url: string): Promise<void> {
  const limit = performance.now() + READY_LIMIT_MS;
  while (performance.now() < limit) {
    const { ok } = await fetch(url);
    if (ok) return;
    await sleep(50);
  }
  throw new Error(`${url} did not answer well within ${READY_LIMIT_MS} ms`);
}
