import { UnrecoverableError } from 'bullmq';
import { createLogger, systemClock } from '@app/platform';
import { DeliveryConsumers, type LaneConsumer } from './delivery-consumers.js';
import type { DeliveryQueue } from './delivery-queue.js';
import { DeliveryQueues } from './delivery-queues.js';
import { createQueue } from './shared-backend.js';
import type { Delayed } from './taking/lane-taker.js';
import type { DeliveryJob } from './jobs.js';

const logger = createLogger('test', 'silent');

/** What the engine relies on, whatever the backend. `url` is asked for when the tests run. */
export function describeQueue(name: string, url: () => string): void {
  describe(`the queue on ${name}`, () => {
    let lanes = 0;
    let lane: string;
    let queues: DeliveryQueues;
    let queue: DeliveryQueue;
    let consumers: DeliveryConsumers[];

    beforeEach(() => {
      lane = `test-${process.pid}-${++lanes}`;
      queues = new DeliveryQueues({ url: url(), prefix: 'test', logger });
      queue = queues.open(lane);
      consumers = [];
    });
    afterEach(async () => {
      await Promise.all(consumers.map((consumer) => consumer.close()));
      await queues.close();
    });

    function consume(work: (job: DeliveryJob) => Promise<unknown>, places = 4): LaneConsumer {
      const options = { url: url(), prefix: 'test', places, logger, clock: systemClock };
      const opened = new DeliveryConsumers(options);
      consumers.push(opened);
      return opened.open(lane, async (job) => (await work(job)) as Delayed | undefined);
    }
    /** Ends when `count` jobs have been handled. */
    function collect(count: number): { jobs: DeliveryJob[]; done: Promise<void> } {
      const jobs: DeliveryJob[] = [];
      const done = new Promise<void>((resolve) => {
        consume((job) => {
          jobs.push(job);
          if (jobs.length === count) resolve();
          return Promise.resolve();
        });
      });
      return { jobs, done };
    }
    const item = (messageId: number, attempts = 0) => ({ messageId, attempts });
    const NOW = 1_800_000_000_000;

    it('brings each job that was fed to a handler', async () => {
      await queue.feed(
        Array.from({ length: 1_200 }, (_, index) => item(index + 1)),
        NOW,
      );
      expect(await queue.waiting()).toBe(1_200);
      const { jobs, done } = collect(1_200);
      await done;
      expect(new Set(jobs.map((job) => job.messageId)).size).toBe(1_200);
    });

    it('ignores a job that is waiting already, but for another attempt', async () => {
      await queue.feed([item(7), item(7)], NOW);
      await queue.feed([item(7)], NOW + 60_000);
      expect(await queue.waiting()).toBe(1);
      await queue.feed([item(7, 1)], NOW);
      expect(await queue.waiting()).toBe(2);
    });

    it('takes a job again that was offered twice without effect: a dead worker may hold it', async () => {
      await queue.feed([{ ...item(7), offers: 1 }], NOW);
      await queue.feed([{ ...item(7), offers: 2 }], NOW);
      expect(await queue.waiting()).toBe(1);
      await queue.feed([{ ...item(7), offers: 3 }], NOW);
      expect(await queue.waiting()).toBe(2);
    });

    it('lets a message be fed again whose job failed for good', async () => {
      await queue.feed([item(7)], NOW);
      let calls = 0;
      await new Promise<void>((resolve) => {
        consume(() => {
          if (++calls === 1) return Promise.reject(new UnrecoverableError('the database is away'));
          clearInterval(again);
          resolve();
          return Promise.resolve();
        });
        const again = setInterval(() => {
          if (calls > 0) void queue.feed([item(7)], NOW);
        }, 20);
      });
      expect(calls).toBe(2);
    });

    it('brings a job again after the time that its handler asks for, and others meanwhile', async () => {
      await queue.feed([item(1)], NOW);
      const seen: [number, number][] = [];
      const startedAt = performance.now();
      await new Promise<void>((resolve) => {
        consume(({ messageId }) => {
          seen.push([messageId, performance.now() - startedAt]);
          const isFirst = seen.length === 1;
          if (isFirst) void queue.feed([item(2)], NOW);
          if (seen.length === 3) resolve();
          return Promise.resolve(isFirst ? { againInMs: 700 } : undefined);
        }, 1);
      });
      expect(seen.map(([id]) => id)).toEqual([1, 2, 1]);
      const [first, , again] = seen.map(([, at]) => at);
      expect((again ?? 0) - (first ?? 0)).toBeGreaterThanOrEqual(690);
      expect((again ?? 0) - (first ?? 0)).toBeLessThan(2_500);
    });

    it('takes a job again whose message was handled before', async () => {
      const { jobs, done } = collect(2);
      await queue.feed([item(7)], NOW);
      while (jobs.length < 1) await new Promise((resolve) => setImmediate(resolve));
      // The finished job must be removed, or its id would keep the message out for good.
      for (;;) {
        await queue.feed([item(7)], NOW);
        if (jobs.length >= 2) break;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      await done;
    });

    it('lets a probe overtake what is waiting', async () => {
      await queue.feed([item(1), item(2), item(3)], NOW);
      await queue.probe({ messageId: 99, probe: 5 }, NOW);
      const seen: DeliveryJob[] = [];
      await new Promise<void>((resolve) => {
        consume((job) => {
          seen.push(job);
          if (seen.length === 4) resolve();
          return Promise.resolve();
        }, 1);
      });
      expect(seen[0]).toEqual({ messageId: 99, probe: 5 });
    });

    it('brings a job again whose handler failed', async () => {
      await queue.feed([item(1)], NOW);
      let calls = 0;
      await new Promise<void>((resolve) => {
        consume(() => {
          if (++calls < 2) return Promise.reject(new Error('the database is away'));
          resolve();
          return Promise.resolve();
        });
      });
      expect(calls).toBe(2);
    });

    it('keeps a poison job for the inspector and goes on with the next', async () => {
      const opened = createQueue(lane, url(), { prefix: 'test' });
      const raw = opened.queue;
      raw.on('error', () => undefined);
      await raw.add('deliver', { messageId: 'drop table' }, { jobId: 'poison-1' });
      const { jobs, done } = collect(1);
      await queue.feed([item(5)], NOW);
      await done;
      expect(jobs).toEqual([{ messageId: 5 }]);
      while ((await raw.getFailedCount()) === 0) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      const [failed] = await raw.getFailed(0, 0);
      expect(failed?.failedReason).toMatch(/messageId: integer/);
      await opened.close();
    });

    it('holds no more jobs at a time than there are places', async () => {
      await queue.feed(
        Array.from({ length: 40 }, (_, index) => item(index + 1)),
        NOW,
      );
      let active = 0;
      let most = 0;
      let handled = 0;
      await new Promise<void>((resolve) => {
        consume(async () => {
          most = Math.max(most, ++active);
          await new Promise((next) => setTimeout(next, 5));
          active--;
          if (++handled === 40) resolve();
        }, 8);
      });
      expect(most).toBeLessThanOrEqual(8);
      expect(most).toBeGreaterThan(1);
    });

    it('takes no jobs while it pauses, and goes on by itself', async () => {
      let handled = 0;
      const consumer = consume(() => {
        handled++;
        return Promise.resolve();
      });
      await queue.feed([item(1)], NOW);
      while (handled < 1) await new Promise((resolve) => setTimeout(resolve, 10));
      const pausedAt = performance.now();
      consumer.pause(1_500);
      await queue.feed([item(2), item(3)], NOW);
      while (handled < 3) await new Promise((resolve) => setTimeout(resolve, 10));
      expect(performance.now() - pausedAt).toBeGreaterThan(1_400);
    });

    it('is not paused for long by its own means: the consumer resumes it', async () => {
      const opened = createQueue(lane, url(), { prefix: 'test' });
      opened.queue.on('error', () => undefined);
      await opened.queue.pause();
      await queue.feed([item(1)], NOW);
      const { jobs, done } = collect(1);
      await done;
      expect(jobs).toEqual([{ messageId: 1 }]);
      expect(await opened.queue.isPaused()).toBe(false);
      await opened.close();
    }, 15_000);

    it('reports for how long jobs wait and none is taken or ends', async () => {
      let finish: () => void = () => undefined;
      const consumer = consume(
        () =>
          new Promise<void>((end) => {
            finish = end;
          }),
        1,
      );
      await queue.feed([item(1), item(2)], NOW);
      while (consumer.stalledForMs() < 1_000) await new Promise((next) => setTimeout(next, 50));
      finish();
      while (consumer.stalledForMs() > 0) {
        finish();
        await new Promise((next) => setTimeout(next, 50));
      }
      finish();
    }, 30_000);

    it('closes only when the jobs in hand are done', async () => {
      await queue.feed([item(1)], NOW);
      let finish: () => void = () => undefined;
      let isDone = false;
      const consumer = await new Promise<LaneConsumer>((resolve) => {
        const opened = consume(async () => {
          resolve(opened);
          await new Promise<void>((end) => {
            finish = end;
          });
          isDone = true;
        });
      });
      const closed = consumer.close();
      setTimeout(finish, 100);
      await closed;
      expect(isDone).toBe(true);
      expect(consumer.inFlight).toBe(0);
    });
  });
}
