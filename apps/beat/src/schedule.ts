import type { DispatchService, FinishService, PlanService, SlotsService } from '@app/engine';
import type { Reports } from '@app/reports';
import { Signal } from './signal.js';

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
  /** Each of them has it run again at once. */
  wokenBy?: readonly Signal[];
  /** Not before this long after the leadership began. */
  delayMs?: number;
  /** @returns ms until the next run when that is to be sooner than `everyMs`. */
  run: () => Promise<number | undefined>;
}

const AT_ONCE = 0;
/**
 * After an outage the workers get this long to record their outcomes, before their leases
 * count as lost.
 */
const GRACE_MS = 10_000;

/** While the last messages of a mailing are on their way: its end is looked for sooner. */
const WHILE_ENDING_MS = 50;
const END_WAITS = { more: AT_ONCE, last: WHILE_ENDING_MS, idle: undefined };

const whenMore = (more: boolean) => (more ? AT_ONCE : undefined);

/**
 * The table of all tasks and their times. Tasks that make work for others emit a signal, and those
 * listen for it.
 *
 * @param changed something was changed in the database.
 */
export function schedule(services: Services, changed: Signal): Task[] {
  const { plan, slots, dispatch, finish, reports } = services;
  const started = new Signal();
  const slotsMissing = new Signal();
  const slotsStored = new Signal();
  const planned = new Signal();
  const nothingToFeed = new Signal();
  const reportsRaised = new Signal();
  return [
    {
      name: 'start',
      everyMs: 250,
      wokenBy: [changed],
      run: async () => {
        if ((await plan.start()).length > 0) started.raise();
        return undefined;
      },
    },
    {
      // Before planning, which needs the slots of what has just started.
      name: 'slots',
      everyMs: 500,
      wokenBy: [changed, started, slotsMissing],
      run: async () => {
        const { stored, more } = await slots.run();
        if (stored > 0) {
          dispatch.wake();
          slotsStored.raise();
        }
        return whenMore(more);
      },
    },
    {
      name: 'plan',
      everyMs: 1_000,
      wokenBy: [changed, started, slotsStored],
      run: async () => {
        const result = await plan.run();
        if (result.slotsMissing) slotsMissing.raise();
        if (result.planned > 0) {
          dispatch.wake();
          planned.raise();
        }
        return whenMore(result.more);
      },
    },
    {
      name: 'dispatch',
      everyMs: 1_000,
      wokenBy: [changed, planned, slotsStored],
      run: async () => {
        const wait = await dispatch.run();
        // A mailing may just have ended.
        if (wait === undefined) nothingToFeed.raise();
        return wait;
      },
    },
    {
      name: 'end',
      everyMs: 250,
      wokenBy: [changed, nothingToFeed],
      run: async () => END_WAITS[await finish.end()],
    },
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
      wokenBy: [changed],
      run: async () => whenMore(await finish.purge()),
    },
    {
      name: 'reports',
      everyMs: 5_000,
      run: async () => {
        if (await reports.raise()) reportsRaised.raise();
        return undefined;
      },
    },
    // Mail servers and webhooks can be slow: each has a loop of its own.
    {
      name: 'mail',
      everyMs: 2_000,
      wokenBy: [changed, reportsRaised],
      run: async () => whenMore(await reports.sendMail()),
    },
    {
      name: 'webhook',
      everyMs: 2_000,
      wokenBy: [reportsRaised],
      run: async () => whenMore(await reports.postAlert()),
    },
  ];
}
