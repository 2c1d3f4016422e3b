import { Gauge, type Logger, messageOf, metrics } from '@app/platform';
import type { Task } from './schedule.js';

const taskSeconds = new Gauge({
  name: 'posthorn_beat_task_seconds',
  help: "How long the latest run of each of beat's tasks took",
  labelNames: ['task'],
  registers: [metrics],
});

/** Runs one task of the schedule again and again until it is stopped. Tasks do not wait for each other. */
export class TaskLoop {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();
  private isRunning = false;
  private wakeWanted = false;
  private stopped = false;

  constructor(
    private readonly task: Task,
    private readonly logger: Logger,
    private readonly wakeOther: (task: string) => void,
  ) {
    this.next(task.delayMs ?? 0);
  }

  get name(): string {
    return this.task.name;
  }

  /** Something changed in the database. */
  announce(): void {
    if (this.task.onWake) this.wake();
  }

  wake(): void {
    if (this.isRunning) this.wakeWanted = true;
    else this.next(0);
  }

  /** Ends when the run under way has. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.running;
  }

  private next(ms: number): void {
    if (this.stopped) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.running = this.run();
    }, ms);
  }

  /** Whether somebody asked for another run while this one was under way. */
  private takeWake(): boolean {
    const wanted = this.wakeWanted;
    this.wakeWanted = false;
    return wanted;
  }

  private async run(): Promise<void> {
    const { name, everyMs } = this.task;
    this.isRunning = true;
    this.wakeWanted = false;
    const startedAt = performance.now();
    let wait = everyMs;
    try {
      wait = (await this.task.run(this.wakeOther)) ?? everyMs;
    } catch (error) {
      if (!this.stopped) this.logger.warn({ task: name, error: messageOf(error) }, 'task failed');
    }
    taskSeconds.set({ task: name }, (performance.now() - startedAt) / 1000);
    this.isRunning = false;
    this.next(this.takeWake() ? 0 : wait);
  }
}
