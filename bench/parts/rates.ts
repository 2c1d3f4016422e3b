import { setTimeout as sleep } from 'node:timers/promises';
import { median, ratio, rounded, spread, whole } from '../figures.js';
import type { Part } from '../part.js';
import { table } from '../report/table.js';
import { CPU_USERS } from '../stack/cpu-meter.js';
import { type MailingRun, runMailing } from '../stack/mailing-run.js';
import type { Servers } from '../stack/servers.js';
import { withWarmInstallation } from '../stack/warm-installation.js';

const RATES = [10, 50, 500];
const WORKERS = 3;
/** From the first message on, until it is counted. */
const SETTLED_MS = 3_000;
const SECONDS = 10;
/** Clients for longer than is counted. */
const CLIENTS_PER_RATE = 20;
/** Far above what this machine sends: the full cost of a rate is measured, and nothing waits for it. */
const NEVER_REACHED = 100_000;
/** Of the clients of a measured mailing. */
const SHARE = 1 / 2;

interface Reached {
  rate: number;
  perSecond: number;
  worstSecond: number;
}

/** Are rates reached and kept, and what does a message with a rate cost? */
export const rates: Part = {
  name: 'rates',
  heading: 'Rates',
  long: true,
  needsRedis: true,
  run: async ({ servers, options, say }) => {
    const reached: Reached[] = [];
    for (const rate of RATES) {
      const found = await reach(servers, rate);
      say(`  ${rate}/s: ${found.perSecond.toFixed(1)}/s, at most ${found.worstSecond} in a second`);
      reached.push(found);
    }
    const clients = Math.round(options.clients * SHARE);
    const pairs: { rated: number; unrated: number }[] = [];
    for (let round = 1; round <= options.runs; round++) {
      const run = (more: { ratePerSecond?: number }) =>
        runMailing(servers, { backend: 'redis', clients, ...more }).then(cpuOf);
      const isEven = round % 2 === 0;
      const early = isEven ? await run({ ratePerSecond: NEVER_REACHED }) : undefined;
      const unrated = await run({});
      const rated = early ?? (await run({ ratePerSecond: NEVER_REACHED }));
      say(`  CPU ms per 1,000 messages: ${whole(rated)} with a rate, ${whole(unrated)} without`);
      pairs.push({ rated, unrated });
    }
    const ratios = pairs.map(({ rated, unrated }) => rated / unrated);
    return {
      figures: {
        rates: {
          reached: Object.fromEntries(reached.map((one) => [one.rate, rounded(one.perSecond)])),
          ratedVsUnratedCpu: rounded(median(ratios)),
        },
      },
      chapter: [
        `A mailing with a rate, ${WORKERS} workers, on the Redis queue: what arrived at the stand-in within ${SECONDS} s,
and the most in any second, wherever it begins. Five per cent are left between the moments that are
given away and the rate.`,
        table(
          ['rate, messages/s', 'reached', 'wanted', 'worst second', 'wanted'],
          reached.map(({ rate, perSecond, worstSecond }) => [
            whole(rate),
            perSecond.toFixed(1),
            `${(0.9 * rate).toFixed(0)} to ${(1.05 * rate).toFixed(0)}`,
            whole(worstSecond),
            `≤ ${whole(rate + Math.max(1, 0.08 * rate))}`,
          ]),
        ),
        `What a rate costs, where it is never reached: CPU time of all processes, ms per 1,000 messages, of one
worker and ${whole(clients)} messages; medians of ${pairs.length} pairs.`,
        table(
          ['with a rate', 'without', 'ratio', 'wanted'],
          [
            [
              spread(pairs.map(({ rated }) => rated)),
              spread(pairs.map(({ unrated }) => unrated)),
              spread(ratios, ratio),
              '≤ 1.10',
            ],
          ],
        ),
      ].join('\n\n'),
    };
  },
};

function reach(servers: Servers, rate: number): Promise<Reached> {
  const clients = Math.max(2_000, rate * CLIENTS_PER_RATE);
  const installation = { backend: 'redis', clients, workers: WORKERS } as const;
  return withWarmInstallation(servers, installation, async ({ api }) => {
    const { id } = await api.createMailing('rated', { ratePerSecond: rate });
    await firstMessage(servers);
    await sleep(SETTLED_MS + SECONDS * 1_000 + 200);
    const moments = (await servers.simulator.timeline()).sort((a, b) => a - b);
    await api.cancel(id);
    const from = (moments[0] ?? 0) + SETTLED_MS;
    const counted = moments.filter((at) => at >= from && at < from + SECONDS * 1_000);
    return {
      rate,
      perSecond: counted.length / SECONDS,
      worstSecond: mostInOneSecond(counted),
    };
  });
}

async function firstMessage({ simulator }: Servers): Promise<void> {
  while ((await simulator.timeline()).length === 0) await sleep(20);
}

function mostInOneSecond(sorted: number[]): number {
  let from = 0;
  let most = 0;
  for (const [index, at] of sorted.entries()) {
    while (at - (sorted[from] ?? at) >= 1_000) from++;
    most = Math.max(most, index - from + 1);
  }
  return most;
}

const cpuOf = ({ cpu }: MailingRun) => CPU_USERS.reduce((sum, user) => sum + cpu[user], 0);
