import { createRequire } from 'node:module';
import { resolve } from 'node:path';

/**
 * Breaks the queue's connections of the process that loads this, in the one way that FAULTS_SABOTAGE
 * names. It writes to stderr what it does.
 */

const load = createRequire(resolve('package.json'));
const ofQueue = (file: string) => load(resolve(`dist/libs/queue/src/${file}.js`)) as never;

const SABOTAGES: Record<string, (() => void) | undefined> = {
  'doorbell-stays-lost': () => {
    const { PostgresBell } = ofQueue('taking/postgres-bell') as {
      PostgresBell: { prototype: { open: () => Promise<void> } };
    };
    const open = Reflect.get(PostgresBell.prototype, 'open');
    const opened = new WeakSet();
    PostgresBell.prototype.open = function (this: object) {
      if (!opened.has(this)) {
        opened.add(this);
        return open.call(this as never);
      }
      say();
      return Promise.resolve();
    };
  },
  'replaced-while-away': () => {
    const { SharedBackend } = ofQueue('shared-backend') as {
      SharedBackend: { prototype: { renew: () => void; drop: () => Promise<void> } };
    };
    SharedBackend.prototype.renew = function () {
      say();
      void this.drop();
    };
  },
};

const sabotage = process.env.FAULTS_SABOTAGE ?? '';
let said = false;
SABOTAGES[sabotage]?.();

function say(): void {
  if (said) return;
  said = true;
  process.stderr.write(`sabotage applied: ${sabotage}\n`);
}
