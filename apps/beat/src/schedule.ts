import type { DispatchService, FinishService, PlanService, SlotsService } from '@app/engine';
import type { Reports } from '@app/reports';

export interface Services {
  plan: PlanService;
  slots: SlotsService;
  dispatch: DispatchService;
  finish: FinishService;
  reports: Reports;
}

export interface Task {
  name: string;
  /** Between the end of one run and the next. */
  everyMs: number;
  /** Runs again at once after a change in the database was announced. */
  onWake?: boolean;
  /** Not before this long after the leadership began. */
  delayMs?: number;
  /**
   * @param wake runs another task at once, for which this one has made work.
   * @returns ms until the next run when that is to be sooner than `everyMs`.
   */
  run: (wake: (task: string) => void) => Promise<number | undefined>;
}

const AT_ONCE = 0;
/**
 * After an outage the workers get this long to record what they hold, before their leases are
 * taken for lost.
 */
const GRACE_MS = 10_000;

/** While the last messages of a mailing are on their way: its end should not wait to be seen. */
const WHILE_ENDING_MS = 50;
const END_WAITS = { more: AT_ONCE, last: WHILE_ENDING_MS, idle: undefined };

const whenMore = (more: boolean) => (more ? AT_ONCE : undefined);

/** The one table of what runs when. */
export function schedule({ plan, slots, dispatch, finish, reports }: Services): Task[] {
  return [
    {
      name: 'start',
      everyMs: 250,
      run: async (wake) => {
        if ((await plan.start()).length > 0) wake('plan');
        return undefined;
      },
    },
    {
      name: 'plan',
      everyMs: 1_000,
      onWake: true,
      run: async (wake) => {
        const { planned, more } = await plan.run();
        if (planned > 0) {
          dispatch.wake();
          wake('dispatch');
        }
        return whenMore(more);
      },
    },
    {
      name: 'slots',
      everyMs: 500,
      onWake: true,
      run: async (wake) => {
        const { stored, more } = await slots.run();
        if (stored > 0) {
          dispatch.wake();
          wake('dispatch');
        }
        return whenMore(more);
      },
    },
    {
      name: 'dispatch',
      everyMs: 1_000,
      onWake: true,
      run: async (wake) => {
        const wait = await dispatch.run();
        if (wait !== undefined) return wait;
        wake('end'); // nothing is left to feed: something may just have come to its end
        return undefined;
      },
    },
    { name: 'end', everyMs: 250, onWake: true, run: async () => END_WAITS[await finish.end()] },
    {
      name: 'sweep',
      everyMs: 2_000,
      delayMs: GRACE_MS,
      run: async () => {
        await finish.sweep();
        return undefined;
      },
    },
    {
      name: 'purge',
      everyMs: 2_000,
      onWake: true,
      run: async () => whenMore(await finish.purge()),
    },
    {
      name: 'reports',
      everyMs: 5_000,
      run: async (wake) => {
        if (await reports.raise()) {
          wake('mail');
          wake('webhook');
        }
        return undefined;
      },
    },
    // Mail servers are slow and webhooks are somebody else's: each has a loop of its own.
    {
      name: 'mail',
      everyMs: 2_000,
      onWake: true,
      run: async () => whenMore(await reports.sendMail()),
    },
    {
      name: 'webhook',
      everyMs: 2_000,
      run: async () => whenMore(await reports.postAlert()),
    },
  ];
}
