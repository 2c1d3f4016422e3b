import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { Database } from '@app/database';
import { ApiKeyService } from '@app/identity';
import { health, HealthFault, messageOf, onSlowStop } from '@app/platform';
import { API_CONFIG, type ApiConfig } from '../config.js';

const RETRY_MS = 500;

/** Connects at start, retries until it succeeds, then makes the first API key. */
@Injectable()
export class DatabaseStarter implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('Database');
  private retry: NodeJS.Timeout | undefined;
  private stopping = false;
  private failure: unknown;

  constructor(
    private readonly database: Database,
    private readonly keys: ApiKeyService,
    @Inject(API_CONFIG) private readonly config: ApiConfig,
  ) {
    health.register('ready', 'database', () => this.check());
    onSlowStop(() => this.database.cancelStatements());
  }

  /** Tries once before the first request is taken: a process that logs `started` is usually ready. */
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
      await this.bootstrapKeys();
      this.logger.log('connected to the database');
    } catch (error) {
      this.logFailure(error);
      if (!this.stopping) this.retry = setTimeout(() => void this.start(), RETRY_MS);
    }
  }

  private async bootstrapKeys(): Promise<void> {
    const { key, hasAdminKey } = await this.keys.bootstrap(
      { kind: 'system', name: 'api' },
      this.config.ADMIN_TOKEN,
    );
    if (key === 'revoked') {
      this.logger.error('ADMIN_TOKEN is a key that was revoked: it does not work. Choose another.');
    } else if (key !== null && key !== 'usable') {
      this.logger.warn(
        `ADMIN_TOKEN is already the key "${key.name}"; it is left as it is` +
          (key.usable ? '' : ', and has expired'),
      );
    }
    if (hasAdminKey) return;
    this.logger.error(
      'There is no API key with the role admin that works: set ADMIN_TOKEN and start again',
    );
  }

  /** One line per reason, not two a second. */
  private logFailure(error: unknown): void {
    const before = this.failure === undefined ? undefined : messageOf(this.failure);
    if (messageOf(error) !== before) {
      this.logger.warn(`waiting for the database: ${messageOf(error)}`);
    }
    this.failure = error;
  }

  private async check(): Promise<void> {
    if (!this.database.isConnected) {
      throw this.failure instanceof Error
        ? this.failure
        : new HealthFault('not connected yet', { code: 'database_not_connected' });
    }
    await this.database.check();
  }
}
