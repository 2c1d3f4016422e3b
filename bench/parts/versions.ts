import { isPostgres15Installed } from '@app/testkit';
import { median, ratio, rounded, spread } from '../figures.js';
import type { Part } from '../part.js';
import { table } from '../report/table.js';
import { runMailing } from '../stack/mailing-run.js';
import { Servers } from '../stack/servers.js';
import type { Backend } from '../stack/warm-installation.js';

/** On the slower queue a third of the messages takes about as long. */
const SHARES = { redis: 1, postgres: 1 / 3 } satisfies Record<Backend, number>;

/** Is the oldest PostgreSQL, as Debian ships it, nearly as fast as the newest? */
export const versions: Part = {
  name: 'versions',
  heading: 'PostgreSQL 15 beside 18',
  long: true,
  needsRedis: false,
  run: async ({ servers, options, say }) => {
    if (!isPostgres15Installed())
      return { figures: {}, chapter: 'PostgreSQL 15 is not installed.' };
    const backends: Backend[] = servers.hasRedis ? ['redis', 'postgres'] : ['postgres'];
    const speeds = backends.map((backend) => ({
      backend,
      old: [] as number[],
      now: [] as number[],
    }));
    const oldest = await Servers.start(15);
    try {
      for (let round = 0; round < options.runs; round++) {
        for (const { backend, old, now } of speeds) {
          const clients = Math.round(options.clients * SHARES[backend]);
          const measured: [Servers, number[]][] = [
            [servers, now],
            [oldest, old],
          ];
          for (const [where, into] of round % 2 === 0 ? measured : measured.toReversed()) {
            into.push((await runMailing(where, { backend, clients })).perSecond);
          }
          say(`  ${backend}: ${now.at(-1)?.toFixed(0)} on 18, ${old.at(-1)?.toFixed(0)} on 15`);
        }
      }
    } finally {
      await oldest.stop();
    }
    const ratios = speeds.map(({ old, now }) => old.map((speed, pair) => speed / (now[pair] ?? 0)));
    return {
      figures: Object.fromEntries(
        speeds.map(({ backend }, index) => [
          `${backend}On15VsOn18`,
          rounded(median(ratios[index] ?? [])),
        ]),
      ),
      chapter: [
        `The same mailing in turn on both, with the settings of the package but for the memory; medians of
${options.runs} pairs, in brackets the extremes.`,
        table(
          ['queue', 'on 18, messages/s', 'on 15', 'ratio'],
          speeds.map(({ backend, old, now }, index) => [
            backend,
            spread(now),
            spread(old),
            spread(ratios[index] ?? [], ratio),
          ]),
        ),
      ].join('\n\n'),
    };
  },
};
