import { parseArgs } from 'node:util';
import type { Backend } from '@app/testkit';

export interface Options {
  /** Only scenarios and proofs whose name contains this. */
  only?: string;
  backend?: Backend;
  seed: number;
  /** Minutes of random faults instead of the list. */
  soakMinutes?: number;
  /** Scenarios that run side by side: most of their time they wait. */
  jobs: number;
  /** Only the short selection of `npm test`. */
  short: boolean;
  /** One line of JSON per result on stdout, and no report. */
  json: boolean;
  /** Only the scenarios, or only the proofs of the checker. */
  part: 'all' | 'scenarios' | 'proofs';
}

/** @throws TypeError that says what is wrong with the command line. */
export function parseOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: 'string' },
      backend: { type: 'string' },
      seed: { type: 'string', default: '1' },
      soak: { type: 'string' },
      jobs: { type: 'string', default: '3' },
      part: { type: 'string', default: 'all' },
      short: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  });
  const { only, backend, part, short, json } = values;
  if (backend !== undefined && backend !== 'redis' && backend !== 'postgres') {
    throw new TypeError('--backend is redis or postgres');
  }
  if (part !== 'all' && part !== 'scenarios' && part !== 'proofs') {
    throw new TypeError('--part is all, scenarios or proofs');
  }
  return {
    ...(only !== undefined && { only }),
    ...(backend !== undefined && { backend }),
    seed: whole('--seed', values.seed),
    ...(values.soak !== undefined && { soakMinutes: whole('--soak', values.soak) }),
    jobs: whole('--jobs', values.jobs),
    part,
    short,
    json,
  };
}

function whole(name: string, text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 1) {
    throw new TypeError(`${name} takes a whole number from 1 on`);
  }
  return number;
}
