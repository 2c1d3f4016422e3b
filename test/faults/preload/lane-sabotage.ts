import { createRequire } from 'node:module';
import { resolve } from 'node:path';

/** Breaks the isolation of lanes, in the one way that FAULTS_SABOTAGE names. */

interface Places {
  total: number;
  held: number;
}

const load = createRequire(resolve('package.json'));
const sabotage = process.env.FAULTS_SABOTAGE ?? '';
let said = false;

const SABOTAGES: Record<string, (() => void) | undefined> = {
  /** The first lane that asks gets all places that are free. */
  'places-first-come': () => {
    const { Places } = load(resolve('dist/libs/queue/src/taking/places.js')) as {
      Places: { prototype: object };
    };
    Object.assign(Places.prototype, {
      roomFor(this: Places) {
        say();
        return Math.max(0, this.total - this.held);
      },
      mayKeep: () => true,
    });
  },
};

SABOTAGES[sabotage]?.();

function say(): void {
  if (said) return;
  said = true;
  process.stderr.write(`sabotage applied: ${sabotage}\n`);
}
