import { rounded, whole } from '../figures.js';
import type { Part } from '../part.js';
import { table } from '../report/table.js';
import { type MailingRun, runMailing } from '../stack/mailing-run.js';

const SMALL = 10_000;
const LARGE = 100_000;
/** Where the time of --quick is used up. */
const NOT_SO_LARGE = 30_000;

/** Does memory grow with the audience? */
export const memory: Part = {
  name: 'memory',
  heading: 'Memory and the size of a mailing',
  long: false,
  needsRedis: true,
  run: async ({ servers, say, hasTime }) => {
    const runs: MailingRun[] = [];
    for (const clients of [SMALL, hasTime() ? LARGE : NOT_SO_LARGE]) {
      const run = await runMailing(servers, { backend: 'redis', clients });
      say(`  ${whole(clients)} clients: worker ${whole(run.peaks.worker)} MB at its highest`);
      runs.push(run);
    }
    const bySize = (of: (run: MailingRun) => number) =>
      Object.fromEntries(runs.map((run) => [run.messages, rounded(of(run))]));
    return {
      figures: {
        peakRssMb: {
          worker: bySize(({ peaks }) => peaks.worker),
          beat: bySize(({ peaks }) => peaks.beat),
          api: bySize(({ peaks }) => peaks.api),
          redis: bySize(({ peaks }) => peaks.redis ?? 0),
        },
      },
      chapter: [
        `Resident memory of each process at its highest (\`VmHWM\`), MB, on the Redis queue, for two
sizes of audience.`,
        table(
          ['clients', 'worker', 'beat', 'api', 'redis'],
          runs.map(({ messages, peaks }) =>
            [messages, peaks.worker, peaks.beat, peaks.api, peaks.redis ?? 0].map(whole),
          ),
        ),
      ].join('\n\n'),
    };
  },
};
