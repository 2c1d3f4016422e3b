import { createPostgresBackend, Queue, Worker } from 'bullmq';

/** addBulk takes this many jobs at a time. */
const BULK = 1_000;

/** BullMQ as its manual shows it, on either backend: fill the queue, then work it off. */
export class BareQueue<Data> {
  private readonly queue: Queue;

  constructor(
    private readonly url: string,
    private readonly name: string,
  ) {
    const options = {
      defaultJobOptions: { removeOnComplete: true },
      streams: { events: { maxLen: 100 } },
    };
    this.queue = this.isPostgres
      ? (new Queue(
          name,
          { ...options, connection: this.postgres(4) },
          createPostgresBackend,
        ) as unknown as Queue)
      : new Queue(name, { ...options, connection: { url } });
  }

  async add(items: Data[]): Promise<void> {
    for (let start = 0; start < items.length; start += BULK) {
      const jobs = items.slice(start, start + BULK).map((data) => ({ name: 'deliver', data }));
      await this.queue.addBulk(jobs);
    }
  }

  /** Works off so many jobs; the last one counts when the queue has taken note of its end. */
  async drain(
    count: number,
    concurrency: number,
    handle: (data: Data) => Promise<void>,
  ): Promise<void> {
    let completed = 0;
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const processor = (job: { data: unknown }) => handle(job.data as Data);
    const options = { concurrency, removeOnComplete: { count: 0 } };
    const worker = this.isPostgres
      ? (new Worker(
          this.name,
          processor,
          { ...options, connection: this.postgres(10) },
          createPostgresBackend,
        ) as unknown as Worker)
      : new Worker(this.name, processor, {
          ...options,
          connection: { url: this.url, maxRetriesPerRequest: null },
        });
    worker.on('completed', () => {
      if (++completed === count) resolve(undefined);
    });
    worker.on('failed', (_, error) => {
      reject(error);
    });
    worker.on('error', reject);
    await promise;
    await worker.close();
  }

  close(): Promise<void> {
    return this.queue.close();
  }

  private get isPostgres(): boolean {
    return this.url.startsWith('postgres');
  }

  private postgres(max: number) {
    return { connectionString: this.url, schema: 'bullmq', max };
  }
}
