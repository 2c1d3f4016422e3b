import { type Cpu, startCpuMeter } from './cpu-meter.js';
import type { PeakRss } from './installation.js';
import type { Servers } from './servers.js';
import { peakRss } from './usage.js';
import { type WarmInstallationOptions, withWarmInstallation } from './warm-installation.js';

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

/** Limit of a run, ms: ten times what the slowest machine took. */
const LEAST_PER_SECOND = 100;
const START_MS = 30_000;

export interface MailingRunOptions extends WarmInstallationOptions {
  /** The mailing's own rate. Default: none. */
  ratePerSecond?: number;
}

/** Sends one mailing to all and checks at the receiving end that each client was served exactly once. */
export async function runMailing(
  servers: Servers,
  { ratePerSecond, ...options }: MailingRunOptions,
): Promise<MailingRun> {
  const { clients } = options;
  const { simulator, postgresPid } = servers;
  return withWarmInstallation(servers, options, async (installation, redis) => {
    const cpuUsed = startCpuMeter({
      worker: installation.pids('worker'),
      beat: installation.pids('beat'),
      api: installation.pids('api'),
      postgres: [postgresPid],
      redis: redis ? [redis.pid] : [],
      simulator: [simulator.pid],
    });
    const { id, postedAt } = await installation.api.createMailing(
      'measured',
      ratePerSecond === undefined ? {} : { ratePerSecond },
    );
    const limitMs = START_MS + (clients * 1_000) / LEAST_PER_SECOND;
    const finishedAt = await installation.api.untilFinished(id, limitMs);
    const cpu = cpuUsed(clients);
    const received = await simulator.checkEachOnce(clients);
    await installation.api.checkCounts(id, clients, ['sent']);
    const seconds = (finishedAt - postedAt) / 1_000;
    return {
      messages: clients,
      seconds,
      perSecond: clients / seconds,
      firstMessageMs: received.firstAt - postedAt,
      completionMs: finishedAt - received.lastAt,
      peaks: { ...installation.peaks(), redis: redis ? peakRss(redis.pid) : null },
      cpu,
    };
  });
}
