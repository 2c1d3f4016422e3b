import { format } from 'node:util';
import { type Options, PART_NAMES, readOptions, USAGE } from './options.js';
import type { Bench, Part } from './part.js';
import { against } from './parts/against.js';
import { expiry } from './parts/expiry.js';
import { idle } from './parts/idle.js';
import { memory } from './parts/memory.js';
import { million } from './parts/million.js';
import { rates } from './parts/rates.js';
import { reading } from './parts/reading.js';
import { throughput } from './parts/throughput.js';
import { versions } from './parts/versions.js';
import { workers } from './parts/workers.js';
import { writeChapter } from './report/document.js';
import { describeMachine, loadBefore } from './report/machine.js';
import { Servers } from './stack/servers.js';

const PARTS: Part[] = [
  throughput,
  memory,
  workers,
  million,
  expiry,
  reading,
  idle,
  versions,
  rates,
  against,
];
/** With --quick nothing is repeated after this; what is left of three minutes is for the last one. */
const QUICK_MS = 75_000;

async function bench(options: Options): Promise<void> {
  const startedAt = performance.now();
  const load = loadBefore();
  const servers = await Servers.start();
  let figures: Record<string, unknown> = {};
  try {
    const machine = await describeMachine(servers, load);
    console.log(machine);
    const context: Bench = {
      options,
      servers,
      say: (line) => {
        console.log(line);
      },
      hasTime: () => !options.quick || performance.now() - startedAt < QUICK_MS,
    };
    for (const part of PARTS.filter((one) => isWanted(one, options))) {
      console.log(`\n${part.heading}`);
      if (part.needsRedis && !servers.hasRedis) {
        console.log('  left out: redis-server is not installed');
        continue;
      }
      const { figures: found, chapter } = await part.run(context);
      figures = { ...figures, ...found };
      console.log(`\n${chapter}`);
      // At once: what comes after it may fail, or be interrupted.
      const { name, heading } = part;
      if (!options.quick) writeChapter(PART_NAMES, { name, heading, text: chapter, machine });
    }
  } finally {
    await servers.stop();
  }
  if (options.json) console.log(JSON.stringify(figures));
}

function isWanted(part: Part, { only, quick }: Options): boolean {
  if (only !== null) return part.name === only;
  if (part === against) return false;
  return !(quick && part.long);
}

// What was started ends with us, also when we are interrupted: see the exit hooks of the testkit.
process.once('SIGINT', () => process.exit(130));
process.once('SIGTERM', () => process.exit(143));

function start(): Options {
  try {
    return readOptions(process.argv.slice(2));
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    process.exit(2);
  }
}

bench(start()).then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(format(error));
    process.exit(1);
  },
);
