/**
 * Natural batching without timers: one call in flight, the next takes whatever has gathered
 * meanwhile. A single item is run at once, many items in batches that grow with the load.
 *
 * `run` gets the items in order of arrival and answers with one result per item, in that order.
 * When it rejects, every item of that batch rejects with the same error.
 */
export class Batcher<Item, Result> {
  private readonly waiting: {
    item: Item;
    resolve: (result: Result) => void;
    reject: (e: unknown) => void;
  }[] = [];
  private running = false;

  constructor(
    private readonly run: (items: Item[]) => Promise<Result[]>,
    private readonly maxSize: number,
  ) {}

  add(item: Item): Promise<Result> {
    return new Promise<Result>((resolve, reject) => {
      this.waiting.push({ item, resolve, reject });
      if (!this.running) {
        this.running = true;
        // Items added in the same turn of the event loop are one batch.
        setImmediate(() => void this.drain());
      }
    });
  }

  get size(): number {
    return this.waiting.length;
  }

  private async drain(): Promise<void> {
    while (this.waiting.length > 0) {
      const batch = this.waiting.splice(0, this.maxSize);
      try {
        const results = await this.run(batch.map((entry) => entry.item));
        batch.forEach((entry, index) => {
          entry.resolve(results[index] as Result);
        });
      } catch (error) {
        for (const entry of batch) entry.reject(error);
      }
    }
    this.running = false;
  }
}
