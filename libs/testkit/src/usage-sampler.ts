import { readFileSync } from 'node:fs';
import {
  COUNTERS_AGAINST_ACTIVITY,
  COUNTERS_AGAINST_ROWS,
  TOTALS_AGAINST_COUNTERS,
} from './books.js';
import type { Cluster } from './cluster.js';
import type { Usage } from './evidence.js';

const EVERY_MS = 250;
const PAGE_MB = 4_096 / 1_048_576;
/** Every process of ours stays below this, whatever the provider answers, MB. */
const MEMORY_MB = 300;
/** A pool for the engine, the pools of the queue, sessions that listen, and those that replace them. */
const CONNECTIONS_PER_PROCESS = 30;

/** Watches memory, connections, what is in flight, and whether the counters add up at every look. */
export class UsageSampler {
  private readonly memory = new Map<string, number>();
  private mostSending = 0;
  private mostWorkers = 0;
  private looks = 0;
  /** Of counters and rows. */
  private readonly disagreements: string[] = [];
  /** Of counters, activity and totals. */
  private readonly disagreeingBooks: string[] = [];
  private stopped = false;
  private readonly running: Promise<void>;

  /** @param refused messages whose outcome the database may refuse: nobody is sending those any more. */
  constructor(
    private readonly cluster: Cluster,
    private readonly refused = 0,
  ) {
    this.running = this.run();
  }

  /** @returns what was seen, and how often it looked. */
  async stop(): Promise<{
    usage: Usage[];
    disagreements: string[];
    disagreeingBooks: string[];
    looks: number;
  }> {
    this.stopped = true;
    await this.running;
    const { concurrency, proxies, all } = this.cluster;
    const inFlight = concurrency * this.mostWorkers;
    return {
      looks: this.looks,
      disagreements: this.disagreements,
      disagreeingBooks: this.disagreeingBooks,
      usage: [
        ...[...this.memory].map(([name, most]) => ({
          what: `MB of memory of ${name}`,
          most: Math.round(most),
          allowed: MEMORY_MB,
        })),
        {
          what: 'messages that are being sent',
          most: this.mostSending,
          allowed: inFlight + this.refused,
        },
        {
          // A new connection may come a moment before the one it replaces has closed.
          what: 'connections to the provider',
          most: proxies.provider.mostConnections,
          allowed: 2 * inFlight,
        },
        {
          what: 'connections to the database',
          most: proxies.postgres.mostConnections,
          allowed: CONNECTIONS_PER_PROCESS * all.length,
        },
      ],
    };
  }

  private async run(): Promise<void> {
    while (!this.stopped) {
      this.lookAtProcesses();
      // A look that fails is skipped: the database may be down on purpose.
      await this.lookAtDatabase().catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    }
  }

  private lookAtProcesses(): void {
    const { workers, beats, api } = this.cluster;
    // Messages of a worker that was killed stay claimed until its lease ends.
    this.mostWorkers = this.cluster.all.filter(({ name }) => name === 'worker').length;
    for (const { name, pid } of [...workers, ...beats, api]) {
      const most = Math.max(this.memory.get(name) ?? 0, residentMb(pid));
      this.memory.set(name, most);
    }
  }

  private async lookAtDatabase(): Promise<void> {
    const { rows } = await this.cluster.db.query(COUNTERS_AGAINST_ROWS);
    const books = await this.cluster.db.query(
      `${COUNTERS_AGAINST_ACTIVITY} UNION ALL ${TOTALS_AGAINST_COUNTERS}`,
    );
    const sending = await this.cluster.db.query<{ n: string }>(
      `SELECT COALESCE(sum(sending), 0) AS n FROM mailing_counters`,
    );
    this.looks++;
    this.mostSending = Math.max(this.mostSending, Number(sending.rows[0]?.n));
    for (const row of rows) this.disagreements.push(JSON.stringify(row));
    for (const row of books.rows) this.disagreeingBooks.push(JSON.stringify(row));
  }
}

function residentMb(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * PAGE_MB;
  } catch {
    return 0; // it has just ended, or this is no Linux
  }
}
