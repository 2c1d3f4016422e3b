import { NOTIFICATION_API_POLICY } from '@app/channels';
import { poolOf } from '@app/database';
import { claimDuePending } from '@app/messages';
import {
  addClients,
  addMailing,
  addMessages,
  type MailingSeed,
  type MessageSeed,
  openSlots,
} from './factories.js';
import { createTestDatabase, type TestDatabase } from './test-database.js';

type Answer = Awaited<ReturnType<typeof claimDuePending>>;

/** Running mailings in a database of their own, and the claim as a worker of the first lane makes it. */
export class Claiming {
  /** The id of the last claim. */
  lastClaim = 0;

  private constructor(readonly database: TestDatabase) {}

  static async start(): Promise<Claiming> {
    return new Claiming(await createTestDatabase());
  }

  /** A running mailing with one message per seed, each to a client of its own; all slots are open. */
  async mailing(
    seeds: Partial<MessageSeed>[] = [{}],
    attributes: MailingSeed = {},
  ): Promise<{ mailingId: number; ids: number[] }> {
    const { dataSource } = this.database;
    const noSeeds = seeds.map(() => ({}));
    const clients = await addClients(dataSource, noSeeds);
    const mailingId = await addMailing(dataSource, attributes);
    const ids = await addMessages(
      dataSource,
      mailingId,
      seeds.map((seed, index) => ({ status: 'pending', clientId: clients[index] ?? 0, ...seed })),
    );
    await openSlots(dataSource, mailingId);
    return { mailingId, ids };
  }

  async claim(ids: number[], options?: { probe?: number; laneId?: number }) {
    return (await this.ask(ids, options)).claimed;
  }

  /** The whole answer, with what a rate holds back. */
  ask(ids: number[], options: { probe?: number; laneId?: number } = {}): Promise<Answer> {
    return claimDuePending(poolOf(this.database.dataSource), {
      policy: NOTIFICATION_API_POLICY,
      laneId: 1,
      claimId: ++this.lastClaim,
      ids,
      ...options,
    });
  }

  /** Every lane is closed and has no rate. */
  async resetLanes(): Promise<void> {
    await this.database.sql(`UPDATE lanes SET state = 'closed', generation = 0, paused_until = NULL,
      rate_per_second = NULL, next_send_at = NULL`);
  }
}
