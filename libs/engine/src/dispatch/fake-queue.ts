import type { DeliveryQueue, FeedItem } from '@app/queue';

/** For tests: a queue in memory, of what was fed and not yet taken. Like a real one it ignores an id that it has. */
export class FakeQueue {
  waitingJobs: FeedItem[] = [];
  probes: unknown[] = [];
  isDown = false;
  /** Never answers. */
  hangs = false;
  /** Jobs that were added although the queue had them. */
  ignored = 0;

  get asQueue(): DeliveryQueue {
    return this as unknown as DeliveryQueue;
  }

  waiting(): Promise<number> {
    return this.answer(() => this.waitingJobs.length);
  }

  feed(items: FeedItem[]): Promise<void> {
    return this.answer(() => {
      for (const item of items) this.add(item);
    });
  }

  probe(job: unknown): Promise<void> {
    return this.answer(() => {
      this.probes.push(job);
    });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  private add(item: FeedItem): void {
    const isThere = this.waitingJobs.some(
      (job) => job.messageId === item.messageId && job.attempts === item.attempts,
    );
    if (isThere) this.ignored++;
    else this.waitingJobs.push(item);
  }

  private answer<T>(look: () => T): Promise<T> {
    if (this.hangs) return new Promise(() => undefined);
    return this.isDown ? Promise.reject(new Error('down')) : Promise.resolve(look());
  }
}
