import {
  Inject,
  Injectable,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import { type Channel, NOTIFICATION_API_POLICY, NotificationApiChannel } from '@app/channels';
import {
  cancelStatements,
  checkPool,
  createDataSource,
  poolOf,
  readQueuePrefix,
} from '@app/database';
import { DeliverService } from '@app/engine';
import { configureLane, ProviderToken } from '@app/lanes';
import { health, type Logger, messageOf, onSlowStop, systemClock } from '@app/platform';
import { DeliveryConsumers, queueTroubles } from '@app/queue';
import type { DataSource } from 'typeorm';
import { isDatabaseFree, Liveness } from './liveness.js';
import { LOGGER, WORKER_CONFIG, type WorkerConfig } from './config.js';

const LANE = 'notification';
const APPLICATION = 'posthorn-worker';
const RECONNECT_MS = 1_000;
/** A server that is not the one that writes any more is left after this, whatever it answers, s. */
const LIFETIME_S = 600;

/** Connects the lanes' queues with the channels. */
@Injectable()
export class WorkerService implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly dataSource: DataSource;
  private channel: Channel | undefined;
  private token: ProviderToken | undefined;
  private consumers: DeliveryConsumers | undefined;
  private deliver: DeliverService | undefined;
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
    this.dataSource = createDataSource(config.databaseUrl, APPLICATION, {
      size: 6,
      lifetimeS: LIFETIME_S,
      avoidSequentialScans: true,
    });
    health.register('ready', 'database', () => this.checkDatabase());
    health.register('ready', 'queue', () => queueTroubles.check());
    health.register('live', 'queue', () => this.liveness.check());
    onSlowStop(() => cancelStatements(poolOf(this.dataSource)));
  }

  /** Waits for the database in the background: the process is live before it is ready. */
  onApplicationBootstrap(): void {
    void this.start();
  }

  async onModuleDestroy(): Promise<void> {
    this.stopped = true;
    this.liveness.stop();
    await this.consumers?.close();
    await this.deliver?.close();
    this.token?.stop();
    await this.channel?.close();
    if (this.dataSource.isInitialized) await this.dataSource.destroy();
  }

  private async start(): Promise<void> {
    while (!this.stopped) {
      try {
        if (!this.dataSource.isInitialized) await this.dataSource.initialize();
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
    const db = poolOf(this.dataSource);
    const lane = await configureLane(db, LANE, config.notification.ratePerSecond);
    const token = new ProviderToken({
      db,
      lane: lane.name,
      fallback: config.notification.token,
      encryptionKey: config.encryptionKey,
      logger,
    });
    await token.refresh();
    const channel = new NotificationApiChannel({
      baseUrl: config.notification.url,
      token: () => token.current,
      concurrency: config.concurrency,
    });
    const consumers = new DeliveryConsumers({
      url: config.queueUrl,
      prefix: await readQueuePrefix(db),
      places: config.concurrency,
      logger,
      clock: systemClock,
    });
    const deliver = new DeliverService({
      db,
      lane,
      channel,
      policy: NOTIFICATION_API_POLICY,
      clock: systemClock,
      logger,
      onLocalTrouble: (pauseMs) => {
        consumer.pause(pauseMs);
      },
    });
    this.deliver = deliver;
    this.channel = channel;
    this.token = token;
    this.consumers = consumers;
    const consumer = consumers.open(lane.name, async (job) => {
      // A probe may be out because a new token was set a moment ago.
      if (job.probe !== undefined) await token.refresh().catch(() => undefined);
      return deliver.deliver(job);
    });
    logger.info({ lane: lane.name, concurrency: config.concurrency }, 'consuming');
  }

  private checkDatabase(): Promise<void> {
    return this.dataSource.isInitialized
      ? checkPool(poolOf(this.dataSource))
      : Promise.reject(new Error(this.complaint ?? 'not connected yet'));
  }
}
