import { randomInt } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createLogger, systemClock } from '@app/platform';
import { sleep, waitFor } from '@app/testkit';
import { DeliveryConsumers } from './delivery-consumers.js';
import { DeliveryQueues } from './delivery-queues.js';

const logger = createLogger('test', 'silent');
/** Shorter than the time between looks at a lane: a job that comes within it was notified. */
const RUNG_MS = 3_000;
const MEGABYTE = 1_048_576;

export interface Server {
  url: () => string;
  /** Of this installation's queues. */
  connections: (prefix: string) => Promise<number>;
  /** Ends the connection for notifications of new jobs. */
  killBell: (prefix: string) => Promise<void>;
}

/** What many lanes in one process rely on, whatever the backend. */
export function describeLanes(name: string, { url, connections, killBell }: Server): void {
  describe(`many lanes on ${name}`, () => {
    let prefix: string;
    let tests = 0;
    let queues: DeliveryQueues;
    let opened: DeliveryConsumers[];

    beforeEach(() => {
      prefix = `lanes-${process.pid}-${++tests}`;
      queues = new DeliveryQueues({ url: url(), prefix, logger });
      opened = [];
    });
    afterEach(async () => {
      await Promise.all(opened.map((consumers) => consumers.close()));
      await queues.close();
    });

    const consumers = (places: number): DeliveryConsumers => {
      const all = new DeliveryConsumers({ url: url(), prefix, places, logger, clock: systemClock });
      opened.push(all);
      return all;
    };
    const laneName = (nth: number) => `${prefix}-lane-${nth}`;
    const jobs = (from: number, count: number) =>
      Array.from({ length: count }, (_, nth) => ({ messageId: from + nth, attempts: 0 }));
    const feed = (lane: string, from: number, count: number) =>
      queues.open(lane).feed(jobs(from, count), 0);
    const until = (isSo: () => boolean, what: string, timeoutMs = 20_000) =>
      waitFor(() => Promise.resolve(isSo()), { timeoutMs, what });

    it('gives the jobs of two lanes to their own handlers', async () => {
      const all = consumers(8);
      const seen: number[][] = [[], []];
      for (const nth of [0, 1]) {
        all.open(laneName(nth), ({ messageId }) => {
          seen[nth]?.push(messageId);
          return Promise.resolve(undefined);
        });
      }
      await Promise.all([feed(laneName(0), 1, 150), feed(laneName(1), 1_001, 150)]);
      await until(() => seen.flat().length === 300, 'all jobs are handled');
      expect(seen[0]?.every((id) => id < 1_000)).toBe(true);
      expect(seen[1]?.every((id) => id > 1_000)).toBe(true);
    });

    it('leaves no job waiting while lanes fall asleep and wake up', async () => {
      const all = consumers(4);
      const fedAt = new Map<number, number>();
      const waits: number[] = [];
      for (let nth = 0; nth < 12; nth++) {
        all.open(laneName(nth), ({ messageId }) => {
          waits.push(performance.now() - (fedAt.get(messageId) ?? 0));
          return Promise.resolve(undefined);
        });
      }
      for (let round = 0; round < 100; round++) {
        const first = 1 + round * 3;
        for (const id of [first, first + 1, first + 2]) fedAt.set(id, performance.now());
        await Promise.all([0, 1, 2].map((more) => feed(laneName(randomInt(12)), first + more, 1)));
        await sleep(randomInt(20));
      }
      await until(() => waits.length === 300, 'all jobs are handled');
      expect(Math.max(...waits)).toBeLessThan(RUNG_MS);
    });

    it('opens and closes a lane under load without losing a job', async () => {
      const all = consumers(16);
      const seen = new Set<number>();
      const handle = async ({ messageId }: { messageId: number }) => {
        await sleep(2);
        seen.add(messageId);
        return undefined;
      };
      all.open(laneName(0), handle);
      let lane = all.open(laneName(1), handle);
      const feeding = (async () => {
        for (let nth = 0; nth < 20; nth++) {
          await feed(laneName(0), 1 + nth * 40, 40);
          await feed(laneName(1), 10_001 + nth * 20, 20);
        }
      })();
      for (let time = 0; time < 8; time++) {
        await sleep(40);
        await lane.close();
        expect(lane.inFlight).toBe(0);
        lane = all.open(laneName(1), handle);
      }
      await feeding;
      await until(() => seen.size === 1_200, 'all jobs are handled');
    });

    it('leaves a fast lane its speed beside a slow one', async () => {
      let lanes = 0;
      const inTime = async (slow: boolean): Promise<number> => {
        const all = consumers(32);
        let handled = 0;
        const [fast, other] = [laneName(lanes++), laneName(lanes++)];
        if (slow) await feed(other, 1, 600);
        all.open(other, async () => {
          await sleep(400);
          return undefined;
        });
        await sleep(500); // it has taken what it gets
        all.open(fast, async () => {
          await sleep(10);
          handled++;
          return undefined;
        });
        const startedAt = performance.now();
        for (let nth = 0; nth < 60; nth++) {
          await feed(fast, 1 + nth * 10, 10);
          await sleep(Math.max(0, startedAt + (nth + 1) * 40 - performance.now()));
        }
        await until(() => handled === 600, 'the fast lane is through');
        const ms = performance.now() - startedAt;
        void all.close();
        return ms;
      };
      const shares: number[] = [];
      // What else the machine does may disturb one of them.
      while (shares.length < 3 && !shares.some((share) => share >= 0.95)) {
        const alone = await inTime(false);
        shares.push(alone / (await inTime(true)));
      }
      expect(Math.max(...shares)).toBeGreaterThanOrEqual(0.95);
    }, 60_000);

    it('passes on what it cannot take to a process that can', async () => {
      const busy = consumers(1);
      let finish: () => void = () => undefined;
      const held = new Promise<undefined>((resolve) => {
        finish = () => {
          resolve(undefined);
        };
      });
      let taken = 0;
      busy.open(laneName(0), () => {
        taken++;
        return held;
      });
      busy.open(laneName(1), () => held);
      await feed(laneName(0), 1, 1);
      await until(() => taken === 1, 'its only place is in use');
      const free = consumers(4);
      const seen: number[] = [];
      for (const nth of [0, 1]) {
        free.open(laneName(nth), ({ messageId }) => {
          seen.push(messageId);
          return Promise.resolve(undefined);
        });
      }
      await sleep(300);
      for (let id = 10; id < 20; id++) {
        await feed(laneName(id % 2), id, 1);
        await until(() => seen.includes(id), 'the other one takes it', RUNG_MS);
      }
      finish();
    });

    it('is notified of jobs again after its connection for notifications was lost', async () => {
      const all = consumers(4);
      const seen: number[] = [];
      for (const nth of [0, 1]) {
        all.open(laneName(nth), ({ messageId }) => {
          seen.push(messageId);
          return Promise.resolve(undefined);
        });
      }
      await feed(laneName(0), 1, 1);
      await until(() => seen.length === 1, 'the first job is taken');
      await sleep(200);
      for (let id = 2; id < 6; id++) {
        await killBell(prefix);
        await feed(laneName(id % 2), id, 1);
        await until(() => seen.includes(id), 'the job is taken', RUNG_MS);
      }
    });

    it('adds no connection for 100 idle lanes, and little memory', async () => {
      const all = consumers(16);
      const handle = () => Promise.resolve(undefined);
      all.open(laneName(0), handle);
      await queues.open(laneName(0)).waiting();
      await sleep(1_000);
      const [connectionsBefore, heapBefore] = [await connections(prefix), heapUsed()];
      for (let nth = 1; nth <= 100; nth++) all.open(laneName(nth), handle);
      await sleep(2_000);
      const heapOfConsumer = heapUsed() - heapBefore;
      for (let nth = 1; nth <= 100; nth++) await queues.open(laneName(nth)).waiting();
      const heapOfProducer = heapUsed() - heapBefore - heapOfConsumer;
      const added = (await connections(prefix)) - connectionsBefore;
      // A pool may have opened the connections that one lane may use as well.
      expect(added).toBeLessThanOrEqual(name === 'Redis' ? 0 : MOST_OF_POOLS);
      expect(heapOfConsumer / MEGABYTE).toBeLessThan(20);
      expect(heapOfProducer / MEGABYTE).toBeLessThan(10);
      await feed(laneName(77), 1, 1);
      await waitFor(async () => (await queues.open(laneName(77)).waiting()) === 0, {
        timeoutMs: RUNG_MS,
        what: 'a job of an idle lane is taken',
      });
    }, 30_000);
  });
}

/** Of the two pools: they grow to what many calls at a time need, not with the lanes. */
const MOST_OF_POOLS = 12;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function heapUsed(): number {
  collectGarbage();
  collectGarbage();
  const { heapUsed: onHeap, external } = process.memoryUsage();
  return onHeap + external;
}
