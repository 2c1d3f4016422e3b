import type { Channel, ConfiguredChannel } from '@app/channels';
import type { Queryable } from '@app/database';
import { DeliverService } from '@app/engine';
import { configureLane, kindOf, type LaneRow, ProviderToken } from '@app/lanes';
import type { Clock, Logger } from '@app/platform';
import type { DeliveryConsumers, LaneConsumer } from '@app/queue';

/** What all lanes of a worker share. */
export interface SharedByLanes {
  db: Queryable;
  consumers: DeliveryConsumers;
  /** Messages that the worker holds at a time, of all lanes together. */
  places: number;
  encryptionKey: string | undefined;
  clock: Clock;
  logger: Logger;
}

/** One lane in this worker: its jobs, its token, its channel and its deliveries. */
export class WorkerLane {
  private constructor(
    readonly name: string,
    private readonly consumer: LaneConsumer,
    private readonly deliver: DeliverService,
    private readonly channel: Channel,
    private readonly token: ProviderToken,
  ) {}

  /** @throws when the database cannot be reached; nothing is open then. */
  static async open(
    row: LaneRow,
    configured: ConfiguredChannel,
    shared: SharedByLanes,
  ): Promise<WorkerLane> {
    const { db, consumers, places, encryptionKey, clock, logger } = shared;
    const lane = { id: row.id, name: row.name };
    const { policy, content } = kindOf(row.channel);
    await configureLane(db, lane.id, configured.ratePerSecond);
    const token = new ProviderToken({
      db,
      lane,
      fallback: configured.token,
      encryptionKey,
      logger,
    });
    token.accept(row.tokenEncrypted);
    const concurrency = Math.min(policy.concurrency ?? places, places);
    const channel = configured.open({ token: () => token.current, concurrency });
    const deliver = new DeliverService({
      db,
      lane,
      channel,
      policy,
      content,
      clock,
      logger,
      onLocalTrouble: (pauseMs) => {
        consumer.pause(pauseMs);
      },
    });
    const consumer = consumers.open(
      lane.name,
      async (job) => {
        // A probe may have been sent because a new token was set a moment ago.
        if (job.probe !== undefined) await token.refresh().catch(() => undefined);
        return deliver.deliver(job);
      },
      { places: concurrency },
    );
    logger.info({ lane: lane.name, concurrency }, 'consuming');
    return new WorkerLane(lane.name, consumer, deliver, channel, token);
  }

  /** Takes over the row as it is now. */
  update({ tokenEncrypted }: LaneRow): void {
    this.token.accept(tokenEncrypted);
  }

  /** Takes no more jobs, lets those in hand end, and records their outcomes. It never fails. */
  async close(): Promise<void> {
    await this.consumer.close();
    await this.deliver.close();
    await this.channel.close();
  }
}
