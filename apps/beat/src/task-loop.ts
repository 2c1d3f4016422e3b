import {
  type Clock,
  Gauge,
  type Logger,
  messageOf,
  metrics,
  systemClock,
  type TaskHealth,
  taskHealth,
} from '@app/platform';
import type { Task } from './schedule.js';

const taskSeconds = new Gauge({
  name: 'posthorn_beat_task_seconds',
  help: "How long the latest run of each of beat's tasks took",
  labelNames: ['task'],
  registers: [metrics],
});

export interface TaskLoopOptions {
  logger: Logger;
  clock?: Clock;
  health?: TaskHealth;
}

/**
 * Runs one task of the schedule again and again until it is stopped. Tasks do not wait for each other.
 * One that fails as a whole comes again when it would have come anyway, and no sooner.
 */
export class TaskLoop {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();
  private isRunning = false;
  private wakeWanted = false;
  private stopped = false;
  /** Runs that failed since the latest one that did not. */
  private failures = 0;

  constructor(
    private readonly task: Task,
    private readonly options: TaskLoopOptions,
  ) {
    for (const signal of task.wokenBy ?? []) {
      signal.on(() => {
        this.wake();
      });
    }
    this.next(task.delayMs ?? 0);
  }

  get name(): string {
    return this.task.name;
  }

  /** Ends when the run under way has. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.running;
  }

  private wake(): void {
    if (this.isRunning) this.wakeWanted = true;
    else if (this.failures === 0) this.next(0);
  }

  private next(ms: number): void {
    if (this.stopped) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.running = this.run();
    }, ms);
  }

  private async run(): Promise<void> {
    const { name, everyMs } = this.task;
    const { clock = systemClock } = this.options;
    this.isRunning = true;
    this.wakeWanted = false;
    const startedAt = clock.monotonic();
    let wait = everyMs;
    try {
      wait = (await this.task.run()) ?? everyMs;
      this.succeed();
    } catch (error) {
      this.fail(error);
    }
    taskSeconds.set({ task: name }, (clock.monotonic() - startedAt) / 1000);
    this.isRunning = false;
    this.next(this.isWoken() ? 0 : wait);
  }

  /** Whether somebody asked for another run while this one was under way. */
  private isWoken(): boolean {
    return this.wakeWanted && this.failures === 0;
  }

  /** Only errors of the task as a whole: those of single items are logged by themselves. */
  private succeed(): void {
    const { health = taskHealth, logger } = this.options;
    if (this.failures === 0) return;
    this.failures = 0;
    health.succeeded(this.name);
    logger.info({ task: this.name }, 'task works again');
  }

  private fail(error: unknown): void {
    const { clock = systemClock, health = taskHealth, logger } = this.options;
    if (this.stopped) return;
    this.failures++;
    health.failed(this.name, clock.monotonic());
    const line = { task: this.name, failures: this.failures, error: messageOf(error) };
    if (this.failures === 1) logger.warn(line, 'task failed');
    else logger.debug(line, 'task failed again');
  }
}
