import { DEFAULT_DELIVERY_CONCURRENCY } from '@app/platform';
import type { Bench } from '../part.js';
import { TEXT } from '../stack/api.js';
import { WARM_UP_CLIENTS } from '../stack/clients.js';
import { type Cpu, perThousand, startCpuMeter } from '../stack/cpu-meter.js';
import { runMailing } from '../stack/mailing-run.js';
import type { Servers } from '../stack/servers.js';
import { PROVIDER_TOKEN } from '../stack/simulator.js';
import type { Backend } from '../stack/warm-installation.js';
import { runYardstick, type YardstickName } from '../yardsticks/yardstick.js';

export interface Run {
  messages: number;
  perSecond: number;
  /** From before POST to the first request at the provider; a yardstick has none. */
  firstMessageMs?: number;
  cpu: Cpu;
}

interface Contender {
  name: string;
  backend: Backend;
  /** Of the clients; the slower ones get fewer messages, so that each takes about as long. */
  share: number;
  yardstick?: YardstickName;
}

export const CONTENDERS = {
  redis: { name: 'Posthorn, Redis queue', backend: 'redis', share: 1 },
  bareRedis: {
    name: 'bare BullMQ on Redis',
    backend: 'redis',
    share: 1,
    yardstick: 'bare-bullmq',
  },
  rowAtATime: {
    name: 'row at a time, Redis queue',
    backend: 'redis',
    share: 1 / 10,
    yardstick: 'row-at-a-time',
  },
  postgres: { name: 'Posthorn, Postgres queue', backend: 'postgres', share: 1 / 3 },
  barePostgres: {
    name: 'bare BullMQ on Postgres',
    backend: 'postgres',
    share: 1 / 5,
    yardstick: 'bare-bullmq',
  },
} satisfies Record<string, Contender>;

export type ContenderKey = keyof typeof CONTENDERS;

/** Everything that ran in one round, one after the other; without Redis some are missing. */
export type Round = Partial<Record<ContenderKey, Run>>;

/** Everything once. Every other round goes backwards, so that no place in the order is an advantage. */
export async function runRound(bench: Bench, backwards: boolean): Promise<Round> {
  const { servers, options, say } = bench;
  const keys = Object.keys(CONTENDERS) as ContenderKey[];
  const round: Round = {};
  for (const key of backwards ? keys.toReversed() : keys) {
    const contender: Contender = CONTENDERS[key];
    const { name, backend, share, yardstick } = contender;
    if (backend === 'redis' && !servers.hasRedis) continue;
    const messages = Math.max(WARM_UP_CLIENTS, Math.round(options.clients * share));
    const run = yardstick
      ? await measure(servers, yardstick, backend, messages)
      : await runMailing(servers, { backend, clients: messages });
    say(`  ${name}: ${run.perSecond.toFixed(0)} messages/s`);
    round[key] = run;
  }
  return round;
}

async function measure(
  servers: Servers,
  name: YardstickName,
  backend: Backend,
  messages: number,
): Promise<Run> {
  const database = await servers.createDatabase(messages);
  const redis = backend === 'redis' ? await servers.startRedis() : null;
  try {
    await servers.simulator.forget();
    const cpuUsed = startCpuMeter({
      postgres: [servers.postgresPid],
      redis: redis ? [redis.pid] : [],
      simulator: [servers.simulator.pid],
    });
    const { seconds, cpuSeconds } = await runYardstick(name, {
      queueUrl: redis?.url ?? database.url,
      databaseUrl: database.url,
      providerUrl: servers.simulator.providerUrl,
      token: PROVIDER_TOKEN,
      text: TEXT,
      messages,
      warmUp: WARM_UP_CLIENTS,
      concurrency: DEFAULT_DELIVERY_CONCURRENCY,
    });
    await servers.simulator.checkEachOnce(WARM_UP_CLIENTS + messages);
    // The servers' share includes the warm-up, so it is spread over that too.
    const cpu = cpuUsed(WARM_UP_CLIENTS + messages);
    return {
      messages,
      perSecond: messages / seconds,
      cpu: { ...cpu, worker: perThousand(cpuSeconds, messages) },
    };
  } finally {
    await redis?.stop();
    await database.drop();
  }
}
