import {
  type BeforeApplicationShutdown,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { Database } from '@app/database';
import { health, HealthFault, messageOf, onSlowStop } from '@app/platform';
import { ApiKeys } from '../http/auth/api-keys.js';

const RETRY_MS = 500;

/** Connects at start, tries until it works, then sees to the first API key. */
@Injectable()
export class DatabaseStarter implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('Database');
  private retry: NodeJS.Timeout | undefined;
  private stopping = false;
  private failure: unknown;

  constructor(
    private readonly database: Database,
    private readonly keys: ApiKeys,
  ) {
    health.register('ready', 'database', () => this.check());
    onSlowStop(() => this.database.cancelStatements());
  }

  /** One try before the first request is taken: a process that says `started` is usually ready. */
  async onApplicationBootstrap(): Promise<void> {
    await this.start();
  }

  beforeApplicationShutdown(): void {
    this.stopping = true;
    clearTimeout(this.retry);
  }

  private async start(): Promise<void> {
    try {
      await this.database.connect();
      await this.keys.ensureBootstrapKey();
      this.logger.log('the database is there');
    } catch (error) {
      this.complain(error);
      if (!this.stopping) this.retry = setTimeout(() => void this.start(), RETRY_MS);
    }
  }

  /** One line per reason, not two a second. */
  private complain(error: unknown): void {
    const before = this.failure === undefined ? undefined : messageOf(this.failure);
    if (messageOf(error) !== before) {
      this.logger.warn(`waiting for the database: ${messageOf(error)}`);
    }
    this.failure = error;
  }

  private async check(): Promise<void> {
    if (!this.database.isConnected) {
      throw this.failure instanceof Error ? this.failure : new HealthFault('not connected yet');
    }
    await this.database.check();
  }
}
