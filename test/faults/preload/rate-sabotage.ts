import { createRequire } from 'node:module';
import { resolve } from 'node:path';

/**
 * Breaks the feeding of the process that loads this, in the one way that FAULTS_SABOTAGE names, by
 * replacing a function of its module. It writes to stderr what it does.
 */

const load = createRequire(resolve('package.json'));
const ofDispatch = (file: string) =>
  load(resolve(`dist/libs/engine/src/dispatch/${file}.js`)) as never;

const SABOTAGES: Record<string, (() => void) | undefined> = {
  'spent-twice': () => {
    const { Pace } = ofDispatch('pace') as {
      Pace: { prototype: { spend: (count: number, rate: number) => void } };
    };
    const spend = Reflect.get(Pace.prototype, 'spend');
    Pace.prototype.spend = function (count, rate) {
      say();
      spend.call(this, 2 * count, rate);
    };
  },
  'first-come': () => {
    const shares = ofDispatch('share') as {
      share: (room: number, limits: number[]) => { parts: number[]; next: number };
    };
    shares.share = (room, limits) => {
      say();
      let left = room;
      const parts = limits.map((limit) => {
        const part = Math.min(left, limit);
        left -= part;
        return part;
      });
      return { parts, next: 0 };
    };
    const { Feeding } = ofDispatch('feeding') as {
      Feeding: { prototype: { turns: (...all: unknown[]) => unknown } };
    };
    const turns = Reflect.get(Feeding.prototype, 'turns');
    Feeding.prototype.turns = function (...all) {
      Object.assign(this, { firstMailing: 0 });
      return turns.apply(this, all);
    };
  },
  'no-look-ahead': () => {
    const { DeliveryQueue } = load(resolve('dist/libs/queue/src/delivery-queue.js')) as {
      DeliveryQueue: { prototype: { waiting: () => Promise<number> } };
    };
    DeliveryQueue.prototype.waiting = () => {
      say();
      return Promise.resolve(0);
    };
  },
  rewind: () => {
    const { Feeding } = ofDispatch('feeding') as { Feeding: { prototype: Feeding } };
    const { DispatchService } = ofDispatch('dispatch.service') as {
      DispatchService: { prototype: { wake: () => void } };
    };
    const feedings = new Set<Feeding>();
    const look = Reflect.get(Feeding.prototype, 'look');
    Feeding.prototype.look = function (situation) {
      feedings.add(this);
      return look.call(this, situation);
    };
    DispatchService.prototype.wake = () => {
      say();
      for (const feeding of feedings) feeding.forget();
    };
  },
};

interface Feeding {
  look: (this: Feeding, situation: unknown) => unknown;
  forget: () => void;
}

const sabotage = process.env.FAULTS_SABOTAGE ?? '';
let said = false;
SABOTAGES[sabotage]?.();

function say(): void {
  if (said) return;
  said = true;
  process.stderr.write(`sabotage applied: ${sabotage}\n`);
}
