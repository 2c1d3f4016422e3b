import type { Bench } from '../part.js';
import { TEXT } from '../stack/api.js';
import { WARM_UP_CLIENTS } from '../stack/clients.js';
import { type Backend, type MailingRun, runMailing } from '../stack/mailing-run.js';
import type { Servers } from '../stack/servers.js';
import { PROVIDER_TOKEN } from '../stack/simulator.js';
import { runYardstick, type YardstickName } from '../yardsticks/yardstick.js';

/** What an installation has that does not set DELIVERY_CONCURRENCY; the yardsticks get the same. */
const CONCURRENCY = 256;

/** Messages per second of everything that ran in one round, one after the other. */
export interface Round {
  redis: MailingRun | null;
  postgres: MailingRun;
  bareRedis: number | null;
  barePostgres: number;
  rowAtATime: number;
}

/** The slower contenders get fewer messages, so that each takes about as long. */
export interface Sizes {
  redis: number;
  postgres: number;
  barePostgres: number;
  rowAtATime: number;
}

export function sizesFor(clients: number): Sizes {
  const part = (share: number) => Math.max(WARM_UP_CLIENTS, Math.round(clients * share));
  return {
    redis: clients,
    postgres: part(1 / 3),
    barePostgres: part(1 / 5),
    rowAtATime: part(1 / 10),
  };
}

/** Everything once. Every other round goes backwards, so that no place in the order is an advantage. */
export async function runRound(bench: Bench, sizes: Sizes, backwards: boolean): Promise<Round> {
  const { servers, say } = bench;
  const round: Partial<Round> = {};
  const mailing = async (backend: Backend, clients: number) => {
    const run = await runMailing(servers, { backend, clients });
    say(`  pipeline on ${backend}: ${run.perSecond.toFixed(0)} messages/s`);
    return run;
  };
  const yardstick = async (name: YardstickName, backend: Backend, messages: number) => {
    const perSecond = await measure(servers, name, backend, messages);
    say(`  ${name} on ${backend}: ${perSecond.toFixed(0)} messages/s`);
    return perSecond;
  };
  const { hasRedis } = servers;
  const steps = [
    async () => {
      round.redis = hasRedis ? await mailing('redis', sizes.redis) : null;
    },
    async () => {
      round.bareRedis = hasRedis ? await yardstick('bare-bullmq', 'redis', sizes.redis) : null;
    },
    async () => {
      const backend = hasRedis ? 'redis' : 'postgres';
      round.rowAtATime = await yardstick('row-at-a-time', backend, sizes.rowAtATime);
    },
    async () => {
      round.postgres = await mailing('postgres', sizes.postgres);
    },
    async () => {
      round.barePostgres = await yardstick('bare-bullmq', 'postgres', sizes.barePostgres);
    },
  ];
  for (const step of backwards ? steps.toReversed() : steps) await step();
  return round as Round;
}

async function measure(
  servers: Servers,
  name: YardstickName,
  backend: Backend,
  messages: number,
): Promise<number> {
  const database = await servers.createDatabase(messages);
  const redis = backend === 'redis' ? await servers.startRedis() : null;
  try {
    await servers.simulator.forget();
    const seconds = await runYardstick(name, {
      queueUrl: redis?.url ?? database.url,
      databaseUrl: database.url,
      providerUrl: servers.simulator.providerUrl,
      token: PROVIDER_TOKEN,
      text: TEXT,
      messages,
      warmUp: WARM_UP_CLIENTS,
      concurrency: CONCURRENCY,
    });
    await servers.simulator.checkEachOnce(WARM_UP_CLIENTS + messages);
    return messages / seconds;
  } finally {
    await redis?.stop();
    await database.drop();
  }
}
