import { createRequire } from 'node:module';
import { resolve } from 'node:path';

/** Breaks the isolation of beat's tasks or the short stop, in the one way that FAULTS_SABOTAGE names. */

const load = createRequire(resolve('package.json'));
const sabotage = process.env.FAULTS_SABOTAGE ?? '';
const said = new Set<string>();

const SABOTAGES: Record<string, (() => void) | undefined> = {
  /** The first thing that fails ends the run, as a plain loop would. */
  'nothing-isolated': () => {
    const { Isolated } = load(resolve('dist/libs/platform/src/isolation/isolated.js')) as {
      Isolated: { prototype: object };
    };
    Object.assign(Isolated.prototype, {
      run: async (items: Iterable<unknown>, work: (item: unknown) => Promise<unknown>) => {
        say();
        let succeeded = 0;
        for (const item of items) {
          await work(item);
          succeeded++;
        }
        return { succeeded, failed: 0, waiting: 0 };
      },
    });
  },
  'pieces-of-one-size': () => {
    const { PieceSize } = load(resolve('dist/libs/messages/src/pieces/piece-size.js')) as {
      PieceSize: { prototype: object };
    };
    Object.assign(PieceSize.prototype, {
      run: (work: (piece: { limit: number }) => Promise<unknown>) => {
        say();
        return work({ limit: 50_000 });
      },
    });
  },
  'stop-waits-for-statements': () => {
    const domain = load(resolve('dist/libs/database/src/cancel.js')) as Record<string, unknown>;
    const nothing = () => {
      say();
      return Promise.resolve();
    };
    Object.assign(domain, { cancelStatement: nothing, cancelStatements: nothing });
    const exit = process.exit.bind(process);
    // And a stop that is cut off exits with a fault.
    process.exit = ((status) => {
      exit(new Error().stack?.includes('Timeout.') ? 1 : status);
    }) as typeof exit;
  },
};

SABOTAGES[sabotage]?.();

function say(): void {
  if (said.has(sabotage)) return;
  said.add(sabotage);
  process.stderr.write(`sabotage applied: ${sabotage}\n`);
}
