import { median, ratio, rounded, spread, whole } from '../figures.js';
import type { Part } from '../part.js';
import { table } from '../report/table.js';
import { runMailing } from '../stack/mailing-run.js';

const LATENCY_MS = 20;
/** Low enough that waiting for the provider is the limit, and not the machine's two cores. */
const CONCURRENCY = 8;
const CLIENTS = 5_000;

/** Does a second worker double the throughput when the provider is what everybody waits for? */
export const workers: Part = {
  name: 'workers',
  heading: 'Two workers against one',
  long: true,
  needsRedis: true,
  run: async ({ servers, options, say }) => {
    const { simulator } = servers;
    const one: number[] = [];
    const two: number[] = [];
    await simulator.setLatency(LATENCY_MS);
    try {
      for (let round = 1; round <= options.runs; round++) {
        for (const [count, speeds] of [[1, one] as const, [2, two] as const]) {
          const { perSecond } = await runMailing(servers, {
            backend: 'redis',
            clients: CLIENTS,
            workers: count,
            concurrency: CONCURRENCY,
          });
          say(`  ${count} worker${count === 1 ? '' : 's'}: ${whole(perSecond)} messages/s`);
          speeds.push(perSecond);
        }
      }
    } finally {
      await simulator.noLatency();
    }
    const ratios = two.map((speed, round) => speed / (one[round] ?? NaN));
    return {
      figures: { twoWorkersVsOne: rounded(median(ratios)) },
      chapter: [
        `The stand-in answers after ${LATENCY_MS} ms, each worker makes ${CONCURRENCY} calls at a time: at most
${whole((CONCURRENCY * 1_000) / LATENCY_MS)} messages/s per worker. ${whole(CLIENTS)} clients, medians of ${one.length} pairs.`,
        table(
          ['workers', 'messages/s', 'ratio', 'wanted'],
          [
            ['1', spread(one), '', ''],
            ['2', spread(two), spread(ratios, ratio), '≥ 1.8'],
          ],
        ),
      ].join('\n\n'),
    };
  },
};
