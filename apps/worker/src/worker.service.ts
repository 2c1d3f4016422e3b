import {
  Inject,
  Injectable,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import { createDataSource, Database, readQueuePrefix } from '@app/database';
import { showPlaces } from '@app/engine';
import { health, type Logger, messageOf, onSlowStop, systemClock, taskHealth } from '@app/platform';
import { DeliveryConsumers, queueTroubles } from '@app/queue';
import { LOGGER, WORKER_CONFIG, type WorkerConfig } from './config.js';
import { LaneSupervisor } from './lane-supervisor.js';
import { isDatabaseFree, Liveness } from './liveness.js';

const APPLICATION = 'posthorn-worker';
const RECONNECT_MS = 1_000;
/** Age of a connection at the most, s: a former primary is left after this, whatever it answers. */
const LIFETIME_S = 600;

/** The worker's connections, and over them its lanes. */
@Injectable()
export class WorkerService implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly database: Database;
  private consumers: DeliveryConsumers | undefined;
  private supervisor: LaneSupervisor | undefined;
  private readonly liveness = new Liveness({
    stalledForMs: () => this.consumers?.stalledForMs() ?? 0,
    isDatabaseFree: () => isDatabaseFree(this.config.databaseUrl, APPLICATION),
  });
  private stopped = false;
  private complaint: string | undefined;

  constructor(
    @Inject(WORKER_CONFIG) private readonly config: WorkerConfig,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    const pool = { size: 6, lifetimeS: LIFETIME_S, avoidSequentialScans: true };
    this.database = new Database(createDataSource(config.databaseUrl, APPLICATION, pool));
    health.register('ready', 'database', () => this.checkDatabase());
    health.register('ready', 'queue', () => queueTroubles.check());
    health.register('ready', 'lanes', () => taskHealth.check(systemClock.monotonic()));
    health.register('live', 'queue', () => this.liveness.check());
    showPlaces(config.concurrency);
    onSlowStop(() => this.database.cancelStatements());
  }

  /** Waits for the database in the background: the process is live before it is ready. */
  onApplicationBootstrap(): void {
    void this.start();
  }

  async onModuleDestroy(): Promise<void> {
    this.stopped = true;
    this.liveness.stop();
    await this.supervisor?.close();
    await this.consumers?.close();
    await this.database.close();
  }

  private async start(): Promise<void> {
    while (!this.stopped) {
      try {
        await this.database.connect();
        await this.open();
        return;
      } catch (error) {
        this.complain(messageOf(error));
        await new Promise((resolve) => setTimeout(resolve, RECONNECT_MS));
      }
    }
  }

  /** One line per reason, not one a second. */
  private complain(error: string): void {
    if (error !== this.complaint) this.logger.warn({ error }, 'waiting for the database');
    this.complaint = error;
  }

  private async open(): Promise<void> {
    const { config, logger } = this;
    const db = this.database.pool;
    this.consumers ??= new DeliveryConsumers({
      url: config.queueUrl,
      prefix: await readQueuePrefix(db),
      places: config.concurrency,
      logger,
      clock: systemClock,
    });
    this.supervisor ??= new LaneSupervisor({
      db,
      consumers: this.consumers,
      channels: config.channels,
      places: config.concurrency,
      encryptionKey: config.encryptionKey,
      clock: systemClock,
      logger,
    });
    await this.supervisor.start();
  }

  private checkDatabase(): Promise<void> {
    return this.database.isConnected
      ? this.database.check()
      : Promise.reject(new Error(this.complaint ?? 'not connected yet'));
  }
}
