const { default: Sequencer } = require('@jest/test-sequencer');

/** Each takes half a minute to three minutes, and waits for most of it. */
const LONGEST = [
  'test/faults/short',
  'libs/queue/src/queue', // hardly needs a core, which the fault suite has use for
  'test/e2e/demo',
  'test/e2e/containers-build',
  'libs/engine/src/postgres-15',
  'test/foreign-bytes/foreign-bytes',
];

/**
 * The longest first, so that none of them is left over when all others have ended. jest itself goes
 * by the times of the last run, and without one, on a fresh machine, by the size of the files.
 */
module.exports = class extends Sequencer {
  sort(tests) {
    const rank = ({ path }) => {
      const index = LONGEST.findIndex((name) => path.endsWith(`/${name}.spec.ts`));
      return index < 0 ? LONGEST.length : index;
    };
    return super.sort(tests).sort((a, b) => rank(a) - rank(b));
  }
};
