import { type Logger, TaskHealth } from '@app/platform';
import { waitFor } from '@app/testkit';
import { Signal } from './signal.js';
import { TaskLoop } from './task-loop.js';

describe('the loop of a task', () => {
  let lines: { level: string; message: string; line: Record<string, unknown> }[];
  let health: TaskHealth;
  let runs: number;
  let broken: boolean;
  let loop: TaskLoop;
  let changed: Signal;
  const silent = { warn: () => undefined, info: () => undefined } as unknown as Logger;

  beforeEach(() => {
    lines = [];
    changed = new Signal();
    runs = 0;
    broken = false;
    health = new TaskHealth();
    const at = (level: string) => (line: Record<string, unknown>, message: string) =>
      lines.push({ level, message, line });
    const logger = { warn: at('warn'), info: at('info'), debug: at('debug') };
    loop = new TaskLoop(
      {
        name: 'plan',
        everyMs: 20,
        wokenBy: [changed],
        run: () => {
          runs++;
          return broken ? Promise.reject(new Error('broken')) : Promise.resolve(undefined);
        },
      },
      { logger: logger as unknown as Logger, health },
    );
  });
  afterEach(() => loop.stop());

  const untilRuns = (count: number) =>
    waitFor(() => Promise.resolve(runs >= count), { timeoutMs: 5_000, what: 'runs', everyMs: 1 });

  it('goes on after a failure, logs it once, and its end once', async () => {
    broken = true;
    await untilRuns(5);
    broken = false;
    await untilRuns(runs + 2);
    await loop.stop();
    expect(lines.filter(({ level }) => level !== 'debug')).toEqual([
      {
        level: 'warn',
        message: 'task failed',
        line: { task: 'plan', failures: 1, error: 'broken' },
      },
      { level: 'info', message: 'task works again', line: { task: 'plan' } },
    ]);
  });

  it('is not woken while it fails, however much happens', async () => {
    broken = true;
    await untilRuns(1);
    const before = runs;
    for (let wake = 0; wake < 1_000; wake++) changed.raise();
    await new Promise((resolve) => setImmediate(resolve));
    expect(runs - before).toBeLessThan(2);
  });

  it('is seen as failing by health until it works', async () => {
    broken = true;
    const aMinuteOn = () => performance.now() + 60_001;
    await untilRuns(3);
    await expect(health.check(aMinuteOn())).rejects.toThrow('plan');
    broken = false;
    await untilRuns(runs + 2);
    await expect(health.check(aMinuteOn())).resolves.toBeUndefined();
  });

  it('does not hide what fails within it', async () => {
    await untilRuns(1);
    health.failed('plan', performance.now());
    await untilRuns(runs + 3);
    await expect(health.check(performance.now() + 60_001)).rejects.toThrow('plan');
  });

  describe('whose task takes a while', () => {
    let release: () => void;
    let waits: number | undefined;
    let slow: TaskLoop;

    beforeEach(async () => {
      await loop.stop();
      runs = 0;
      waits = undefined;
      slow = new TaskLoop(
        {
          name: 'dispatch',
          everyMs: 60_000,
          wokenBy: [changed],
          run: async () => {
            runs++;
            await new Promise<void>((resolve) => (release = resolve));
            return waits;
          },
        },
        { logger: silent, health },
      );
      await untilRuns(1);
    });
    afterEach(async () => {
      release();
      await slow.stop();
    });

    it('does not run it twice at a time, and again, once, for all that woke it meanwhile', async () => {
      for (let wake = 0; wake < 100; wake++) changed.raise();
      expect(runs).toBe(1);
      release();
      await untilRuns(2);
      release();
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(runs).toBe(2);
    });

    it('comes again when the task says so', async () => {
      waits = 1;
      release();
      await untilRuns(2);
    });

    it('stops when the run under way has ended, and does not begin another', async () => {
      let isStopped = false;
      const stopped = slow.stop().then(() => (isStopped = true));
      await new Promise((resolve) => setImmediate(resolve));
      expect(isStopped).toBe(false);
      changed.raise();
      release();
      await stopped;
      changed.raise();
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(runs).toBe(1);
    });
  });
});
