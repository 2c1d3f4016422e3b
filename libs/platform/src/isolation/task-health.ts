import { HealthFault } from '../health/health.js';
import { Counter, metrics } from '../metrics/metrics.js';

/** A task is unhealthy when each of its tries of this long has failed, ms. */
const ONLY_FAILURES_MS = 60_000;

const failures = new Counter({
  name: 'posthorn_task_failures_total',
  help: 'What failed in a background task: one of the things that it works on, or the task as a whole',
  labelNames: ['task'],
  registers: [metrics],
});

interface TaskState {
  /** On the monotonic clock, ms: the first failure since the latest success; null while it works. */
  failingSince: number | null;
}

/** Which background tasks of this process work, for metrics and health. */
export class TaskHealth {
  private readonly tasks = new Map<string, TaskState>();

  succeeded(task: string): void {
    const state = this.tasks.get(task);
    if (state) state.failingSince = null;
  }

  /** @param nowMs on the monotonic clock */
  failed(task: string, nowMs: number): void {
    failures.inc({ task });
    const state = this.tasks.get(task);
    if (!state) this.tasks.set(task, { failingSince: nowMs });
    else state.failingSince ??= nowMs;
  }

  /** To be called when this process stops a task. */
  forget(task: string): void {
    this.tasks.delete(task);
  }

  /** To be called when this process stops all its tasks: a beat that leads no more. */
  forgetAll(): void {
    this.tasks.clear();
  }

  /**
   * For a health check.
   *
   * @throws Error that names each task of which nothing has succeeded for a minute.
   */
  check(nowMs: number): Promise<void> {
    const tasks = [...this.tasks]
      .filter(([, { failingSince }]) => (failingSince ?? nowMs) <= nowMs - ONLY_FAILURES_MS)
      .map(([task]) => task)
      .sort();
    if (tasks.length === 0) return Promise.resolve();
    const words = `nothing succeeds any more in: ${tasks.join(', ')}`;
    return Promise.reject(new HealthFault(words, { code: 'tasks_failing', data: { tasks } }));
  }
}

/** The one of this process. */
export const taskHealth = new TaskHealth();
