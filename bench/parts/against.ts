import { execFileSync } from 'node:child_process';
import { median, ratio, rounded, spread } from '../figures.js';
import type { Bench, Part } from '../part.js';
import { table } from '../report/table.js';
import { CPU_USERS } from '../stack/cpu-meter.js';
import { cpuRow } from './throughput-chapter.js';
import { type MailingRun, runMailing } from '../stack/mailing-run.js';
import type { Backend } from '../stack/warm-installation.js';

/** On the slower queue a third of the messages takes about as long. */
const SHARES = { redis: 1, postgres: 1 / 3 } satisfies Record<Backend, number>;

interface Pair {
  here: MailingRun;
  there: MailingRun;
}

/** Is this build as fast as that of another checkout? */
export const against: Part = {
  name: 'against',
  heading: 'This build against another one',
  long: true,
  needsRedis: false,
  run: async (bench) => {
    const { options, servers } = bench;
    const checkout = options.against ?? '';
    const backends: Backend[] = servers.hasRedis ? ['redis', 'postgres'] : ['postgres'];
    const pairs = Object.fromEntries(backends.map((backend) => [backend, [] as Pair[]]));
    for (let round = 1; round <= options.runs; round++) {
      for (const backend of backends) {
        pairs[backend]?.push(await runPair(bench, backend, checkout, round % 2 === 0));
      }
    }
    const ratiosOf = (backend: Backend) =>
      (pairs[backend] ?? []).map(({ here, there }) => here.perSecond / there.perSecond);
    return {
      figures: Object.fromEntries(
        backends.map((backend) => [`${backend}VsOther`, rounded(median(ratiosOf(backend)))]),
      ),
      chapter: [
        `The same mailing in turn with this build and with that of commit ${commitOf(checkout)}, on the same servers,
each on a database made by its own migrations; medians of ${options.runs} pairs, in brackets the extremes.`,
        table(
          ['queue', 'this build, messages/s', 'the other one', 'ratio'],
          backends.map((backend) => {
            const runs = pairs[backend] ?? [];
            return [
              backend,
              spread(runs.map(({ here }) => here.perSecond)),
              spread(runs.map(({ there }) => there.perSecond)),
              spread(ratiosOf(backend), ratio),
            ];
          }),
        ),
        'CPU time of each process, milliseconds per 1,000 messages (medians).',
        table(
          ['', ...CPU_USERS, 'all'],
          backends.flatMap((backend) => {
            const runs = pairs[backend] ?? [];
            return [
              cpuRow(
                `${backend}, this build`,
                runs.map(({ here }) => here.cpu),
              ),
              cpuRow(
                `${backend}, the other one`,
                runs.map(({ there }) => there.cpu),
              ),
            ];
          }),
        ),
      ].join('\n\n'),
    };
  },
};

async function runPair(
  { servers, options, say }: Bench,
  backend: Backend,
  checkout: string,
  otherFirst: boolean,
): Promise<Pair> {
  const clients = Math.round(options.clients * SHARES[backend]);
  const runOther = () => runMailing(servers, { backend, clients, checkout });
  const early = otherFirst ? await runOther() : null;
  const here = await runMailing(servers, { backend, clients });
  const there = early ?? (await runOther());
  say(
    `  ${backend}: ${here.perSecond.toFixed(0)} and ${there.perSecond.toFixed(0)} messages/s, ` +
      (here.perSecond / there.perSecond).toFixed(2),
  );
  return { here, there };
}

function commitOf(checkout: string): string {
  const words = ['rev-parse', '--short', 'HEAD'];
  return execFileSync('git', words, { cwd: checkout, encoding: 'utf8' }).trim();
}
