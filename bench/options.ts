import { parseArgs } from 'node:util';

export const PART_NAMES = [
  'throughput',
  'memory',
  'workers',
  'million',
  'expiry',
  'reading',
  'idle',
  'versions',
  'rates',
  'against',
] as const;
export type PartName = (typeof PART_NAMES)[number];

export interface Options {
  /** Clients of a measured mailing. */
  clients: number;
  /** How often each measurement is repeated. */
  runs: number;
  /** Ends within three minutes: short parts only, fewer repetitions. */
  quick: boolean;
  /** One line of JSON last. */
  json: boolean;
  /** Only this part. */
  only: PartName | null;
  /** The folder of another, built checkout to compare with. */
  against: string | null;
}

export const USAGE = `npm run bench -- [options]

  --clients N   clients of a measured mailing (30000)
  --runs R      repetitions of each measurement (5; with --quick as many as the time allows, at most 3)
  --quick       ends within 3 minutes: leaves the long parts out and docs/performance.md alone
  --json        prints one line of JSON last
  --only PART   one of ${PART_NAMES.join(', ')}
  --against DIR runs a mailing in turn with this build and with that of the checkout in DIR
`;

/** @throws Error with a readable message when an option is wrong. */
export function readOptions(words: string[]): Options {
  const { values } = parseArgs({
    args: words,
    options: {
      clients: { type: 'string' },
      runs: { type: 'string' },
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      only: { type: 'string' },
      against: { type: 'string' },
    },
  });
  const only = PART_NAMES.find((name) => name === values.only) ?? null;
  if (values.only !== undefined && only === null) {
    throw new Error(`--only must be one of ${PART_NAMES.join(', ')}`);
  }
  const against = values.against ?? null;
  if (only === 'against' && against === null) throw new Error('--only against needs --against DIR');
  return {
    clients: wholeNumber('--clients', values.clients, 30_000, 2_000),
    runs: wholeNumber('--runs', values.runs, values.quick ? 3 : 5, 1),
    quick: values.quick,
    json: values.json,
    only: against === null ? only : 'against',
    against,
  };
}

function wholeNumber(name: string, text: string | undefined, fallback: number, least: number) {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new Error(`${name} must be a whole number, at least ${least}`);
}
