import { WARM_UP_CLIENTS, WARM_UP_CODE } from './clients.js';
import { House, type HouseOptions, type PeakRss } from './house.js';
import type { Servers } from './servers.js';
import { type Cpu, startCpuMeter } from './cpu-meter.js';
import { peakRss } from './usage.js';

export type Backend = 'redis' | 'postgres';

export interface MailingRun {
  messages: number;
  /** From before POST to the mailing's completion. */
  seconds: number;
  perSecond: number;
  /** From before POST to the first request at the provider. */
  firstMessageMs: number;
  /** From the last request at the provider to the mailing's completion. */
  completionMs: number;
  /** MB of RSS. */
  peaks: PeakRss & { redis: number | null };
  cpu: Cpu;
}

export interface RunOptions extends Pick<HouseOptions, 'workers' | 'concurrency'> {
  backend: Backend;
  clients: number;
}

/** No stall hides behind this; the slowest machine that the bench ran on does a tenth of it. */
const LEAST_PER_SECOND = 100;
const START_MS = 30_000;

/**
 * Starts everything anew, warms it up with a mailing to 1,000 clients, sends one mailing to all and
 * checks at the receiving end that each client was served exactly once.
 */
export async function runMailing(servers: Servers, options: RunOptions): Promise<MailingRun> {
  const { backend, clients, ...processes } = options;
  const { simulator } = servers;
  const database = await servers.createDatabase(clients);
  const redis = backend === 'redis' ? await servers.startRedis() : null;
  try {
    const house = await House.open({
      databaseUrl: database.url,
      queueUrl: redis?.url ?? database.url,
      providerUrl: simulator.providerUrl,
      ...processes,
    });
    try {
      await warmUp(house);
      await simulator.forget();
      const cpuUsed = startCpuMeter({
        worker: house.pids('worker'),
        beat: house.pids('beat'),
        api: house.pids('api'),
        postgres: [servers.postgresPid],
        redis: redis ? [redis.pid] : [],
        simulator: [simulator.pid],
      });
      const { id, postedAt } = await house.api.createMailing('measured');
      const limitMs = START_MS + (clients * 1_000) / LEAST_PER_SECOND;
      const finishedAt = await house.api.untilFinished(id, limitMs);
      const cpu = cpuUsed(clients);
      const received = await simulator.checkEachOnce(clients);
      await checkCounts(house, id, clients);
      const seconds = (finishedAt - postedAt) / 1_000;
      return {
        messages: clients,
        seconds,
        perSecond: clients / seconds,
        firstMessageMs: received.firstAt - postedAt,
        completionMs: finishedAt - received.lastAt,
        peaks: { ...house.peaks(), redis: redis ? peakRss(redis.pid) : null },
        cpu,
      };
    } finally {
      await house.close();
    }
  } finally {
    await redis?.stop();
    await database.drop();
  }
}

/** The first second of a process is spent on compiling its code, once in the life of an installation. */
export async function warmUp(house: House): Promise<void> {
  const { id } = await house.api.createMailing('warm-up', { operatorCodes: [WARM_UP_CODE] });
  await house.api.untilFinished(id, START_MS);
  await checkCounts(house, id, WARM_UP_CLIENTS);
}

async function checkCounts(house: House, id: number, expected: number): Promise<void> {
  const { total, counts } = await house.api.statistics(id);
  if (total === expected && counts.sent === expected) return;
  throw new Error(`of ${expected} messages ${JSON.stringify({ total, ...counts })}`);
}
