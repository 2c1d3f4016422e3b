import { poolOf, type Queryable } from '@app/database';
import { PlanService, SlotsService } from '@app/engine';
import { createLogger } from '@app/platform';
import { addMailing, type MailingSeed } from './factories.js';
import { createTestDatabase, type TestDatabase } from './test-database.js';

/** Starting and planning as beat does them, in a database of their own. */
export class Planning {
  readonly db: Queryable;
  readonly slots: SlotsService;
  readonly plan: PlanService;

  private constructor(readonly database: TestDatabase) {
    this.db = poolOf(database.dataSource);
    this.slots = new SlotsService(this.db, createLogger('test', 'silent'));
    this.plan = this.anotherPlan();
  }

  static async start(): Promise<Planning> {
    return new Planning(await createTestDatabase());
  }

  /** Of a beat that has just started. */
  anotherPlan(db: Queryable = this.db): PlanService {
    return new PlanService(db, db, this.slots, createLogger('test', 'silent'));
  }

  /** @returns the id of a mailing whose start has just come. */
  scheduled(seed: MailingSeed = {}): Promise<number> {
    return addMailing(this.database.dataSource, {
      status: 'scheduled',
      startsIn: -0.01,
      ...seed,
    });
  }

  /** What beat's tasks do one after the other. */
  async round(): Promise<{ planned: number; more: boolean }> {
    await this.plan.start();
    await this.slots.run();
    const { planned, more, slotsMissing } = await this.plan.run();
    return { planned, more: more || slotsMissing };
  }

  /** @throws Error when it does not end. */
  async planAll(): Promise<void> {
    for (let run = 0; run < 50; run++) if (!(await this.round()).more) return;
    throw new Error('planning comes to no end');
  }
}
