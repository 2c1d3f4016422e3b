import { openSession } from '@app/database';
import type pg from 'pg';
import type { Bell, BellOptions } from './bell.js';

const RETRY_MS = 500;
/** A statement is sent so often, ms, to see whether the connection works. */
const SIGN_OF_LIFE_MS = 5_000;
/** Without an answer for two seconds longer the connection counts as lost, ms. */
const STATEMENT_LIMIT_MS = 8_000;

/**
 * Listens for BullMQ's notifications, whose payload is the lane, in one session of its own: each session that
 * listens costs the server something for every job. It comes back by itself.
 */
export class PostgresBell implements Bell {
  private client: pg.Client | undefined;
  private readonly pulse: NodeJS.Timeout;
  private closed = false;

  constructor(
    private readonly url: string,
    private readonly options: BellOptions,
  ) {
    this.pulse = setInterval(() => {
      this.client?.query('SELECT 1').catch(() => undefined);
    }, SIGN_OF_LIFE_MS);
    this.pulse.unref();
    void this.open();
  }

  watch(): void {
    // Notifications of all lanes come at any time.
  }

  passOn(): void {
    // Every process gets the notification.
  }

  async close(): Promise<void> {
    this.closed = true;
    clearInterval(this.pulse);
    await this.client?.end().catch(() => undefined);
  }

  private async open(): Promise<void> {
    while (!this.closed) {
      try {
        const client = await openSession(this.url, 'posthorn-queue-bell', {
          statementTimeoutMs: STATEMENT_LIMIT_MS,
          ownSession: true,
        });
        await this.listen(client);
        return;
      } catch (error) {
        this.options.onError(error);
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  private async listen(client: pg.Client): Promise<void> {
    let isLost = false;
    const lose = (error?: Error) => {
      if (isLost) return;
      isLost = true;
      this.client = undefined;
      void client.end().catch(() => undefined);
      if (this.closed) return;
      if (error) this.options.onError(error);
      setTimeout(() => void this.open(), RETRY_MS);
    };
    client.on('error', lose);
    client.on('end', () => {
      lose();
    });
    client.on('notification', ({ payload }) => {
      if (payload !== undefined) this.options.ring(payload);
    });
    try {
      await client.query('LISTEN bullmq_jobs');
    } catch (error) {
      isLost = true;
      void client.end().catch(() => undefined);
      throw error;
    }
    this.client = client;
    if (this.closed) void client.end().catch(() => undefined);
    // Notifications of what was added meanwhile are lost.
    this.options.ringAll();
  }
}
