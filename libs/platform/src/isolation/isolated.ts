import type { Clock } from '../clock/clock.js';
import { messageOf } from '../errors/domain-error.js';
import type { Logger } from '../logging/logging.js';
import { type TaskHealth, taskHealth } from './task-health.js';

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 60_000;
/** An item that was set aside and was not given again for so long is forgotten, ms. */
const FORGET_AFTER_MS = 600_000;

export interface IsolatedOptions<Item> {
  /** The label in metrics, logs and health: `plan`, `mail`. */
  task: string;
  /** The key of an item: a mailing's id. */
  key: (item: Item) => number | string;
  /** What a log line has about an item besides the error; default: its key. */
  fields?: (item: Item) => Record<string, unknown>;
  /** Whether an error concerns all items: the database is away. It ends the run. Default: none does. */
  isShared?: (error: unknown) => boolean;
  clock: Clock;
  logger: Logger;
  health?: TaskHealth;
}

export interface IsolatedRun {
  succeeded: number;
  failed: number;
  /** Left out, because their wait after a failure is not over. */
  waiting: number;
}

interface FailedItem {
  failures: number;
  /** On the monotonic clock, ms. */
  retryAt: number;
}

/**
 * Works on many items of one kind. The failure of one does not stop the others: it is logged once,
 * counted, and tried again alone after a wait that doubles from 1 s to 60 s.
 */
export class Isolated<Item> {
  private readonly setAside = new Map<number | string, FailedItem>();
  private readonly health: TaskHealth;

  constructor(private readonly options: IsolatedOptions<Item>) {
    this.health = options.health ?? taskHealth;
  }

  /** Items that failed and have not succeeded since. */
  get failing(): number {
    return this.setAside.size;
  }

  /** Their keys, for a statement that must not find them. */
  get waitingKeys(): (number | string)[] {
    const now = this.options.clock.monotonic();
    return [...this.setAside].filter(([, { retryAt }]) => retryAt > now).map(([key]) => key);
  }

  /** Keys of the items that failed at their latest try, whether the next one is due or not. */
  get failingKeys(): (number | string)[] {
    return [...this.setAside.keys()];
  }

  /**
   * Does `work` for each item, one after the other, in their order.
   *
   * @throws what `work` threw when it is shared: then the items behind were not tried.
   */
  async run(items: Iterable<Item>, work: (item: Item) => Promise<unknown>): Promise<IsolatedRun> {
    const run: IsolatedRun = { succeeded: 0, failed: 0, waiting: 0 };
    this.forgetOld();
    for (const item of items) {
      if (this.isWaiting(item)) run.waiting++;
      else if (await this.attempt(item, work)) run.succeeded++;
      else run.failed++;
    }
    if (run.failed === 0 && run.waiting === 0) this.health.succeeded(this.options.task);
    return run;
  }

  /** Whether an item failed lately and its next try is not due. */
  isWaiting(item: Item): boolean {
    const aside = this.setAside.get(this.options.key(item));
    return aside !== undefined && aside.retryAt > this.options.clock.monotonic();
  }

  private async attempt(item: Item, work: (item: Item) => Promise<unknown>): Promise<boolean> {
    const { key, isShared, task } = this.options;
    try {
      await work(item);
    } catch (error) {
      if (isShared?.(error)) throw error;
      this.fail(item, error);
      return false;
    }
    if (this.setAside.delete(key(item))) {
      this.options.logger.info({ task, ...this.fieldsOf(item) }, 'works again');
    }
    this.health.succeeded(task);
    return true;
  }

  private fail(item: Item, error: unknown): void {
    const { key, clock, logger, task } = this.options;
    const now = clock.monotonic();
    const failures = (this.setAside.get(key(item))?.failures ?? 0) + 1;
    const wait = Math.min(FIRST_WAIT_MS * 2 ** (failures - 1), LONGEST_WAIT_MS);
    this.setAside.set(key(item), { failures, retryAt: now + wait });
    this.health.failed(task, now);
    const line = { task, ...this.fieldsOf(item), failures, error: messageOf(error) };
    if (failures === 1) logger.error(line, 'failed and is set aside; the others go on');
    else logger.debug(line, 'failed again');
  }

  private fieldsOf(item: Item): Record<string, unknown> {
    return this.options.fields?.(item) ?? { key: this.options.key(item) };
  }

  private forgetOld(): void {
    const limit = this.options.clock.monotonic() - FORGET_AFTER_MS;
    for (const [key, { retryAt }] of this.setAside) {
      if (retryAt < limit) this.setAside.delete(key);
    }
  }
}
