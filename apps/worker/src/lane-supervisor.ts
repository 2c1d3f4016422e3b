import type { ConfiguredChannel } from '@app/channels';
import { isDatabaseAway } from '@app/database';
import { type LaneRow, listLanes } from '@app/lanes';
import { Isolated, messageOf } from '@app/platform';
import { type SharedByLanes, WorkerLane } from './worker-lane.js';

const LOOK_MS = 2_000;
const LANES_TASK = 'lanes';

interface SupervisorOptions extends SharedByLanes {
  channels: ReadonlyMap<string, ConfiguredChannel>;
  lookMs?: number;
}

/**
 * Opens a lane for each row of `lanes`, closes it when its row is deleted, and passes on new tokens. A lane
 * that cannot be opened is tried again by itself; one that takes long to close delays no other.
 */
export class LaneSupervisor {
  private readonly lanes = new Map<number, WorkerLane>();
  /** By name: a new lane of that name waits for the end of the old one. */
  private readonly closing = new Map<string, Promise<void>>();
  /** Ids of lanes whose channel this worker does not have, which it has logged. */
  private readonly unknownChannels = new Set<number>();
  private readonly opening: Isolated<LaneRow>;
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<void> = Promise.resolve();
  private isClosed = false;

  constructor(private readonly options: SupervisorOptions) {
    const { clock, logger } = options;
    this.opening = new Isolated<LaneRow>({
      task: LANES_TASK,
      key: ({ id }) => id,
      fields: ({ name }) => ({ lane: name }),
      isShared: isDatabaseAway,
      clock,
      logger,
    });
  }

  /** Opens the lanes that there are, and looks for changes from then on. @throws when the database is away. */
  async start(): Promise<void> {
    const look = this.look();
    this.looking = look.catch(() => undefined);
    await look;
    this.plan();
  }

  /** Ends every lane, each in its own time. It never fails. */
  async close(): Promise<void> {
    this.isClosed = true;
    clearTimeout(this.timer);
    await this.looking;
    for (const [id, lane] of this.lanes) this.end(id, lane);
    await Promise.all(this.closing.values());
  }

  private plan(): void {
    if (this.isClosed) return;
    this.timer = setTimeout(() => {
      this.looking = this.look()
        .catch((error: unknown) => {
          const reason = messageOf(error);
          this.options.logger.debug({ error: reason }, 'the lanes could not be looked up');
        })
        .finally(() => {
          this.plan();
        });
    }, this.options.lookMs ?? LOOK_MS);
    this.timer.unref();
  }

  private async look(): Promise<void> {
    const rows = await listLanes(this.options.db);
    const known = new Set(rows.map(({ id }) => id));
    for (const [id, lane] of this.lanes) if (!known.has(id)) this.end(id, lane);
    await this.opening.run(
      rows.filter((row) => this.isToBeOpened(row)),
      async (row) => {
        const channel = this.options.channels.get(row.channel);
        if (!channel || this.isClosed) return;
        this.lanes.set(row.id, await WorkerLane.open(row, channel, this.options));
      },
    );
  }

  private isToBeOpened(row: LaneRow): boolean {
    const lane = this.lanes.get(row.id);
    lane?.update(row);
    if (lane || this.closing.has(row.name)) return false;
    if (this.options.channels.has(row.channel)) return true;
    const { id, name, channel } = row;
    if (!this.unknownChannels.has(id)) {
      this.unknownChannels.add(id);
      this.options.logger.warn({ lane: name, channel }, 'this worker does not have the channel');
    }
    return false;
  }

  private end(id: number, lane: WorkerLane): void {
    this.lanes.delete(id);
    const { name } = lane;
    this.options.logger.info({ lane: name }, 'the lane ends');
    const closed = lane
      .close()
      .catch((error: unknown) => {
        const reason = messageOf(error);
        this.options.logger.warn({ lane: name, error: reason }, 'the lane did not end well');
      })
      .finally(() => this.closing.delete(name));
    this.closing.set(name, closed);
  }
}
