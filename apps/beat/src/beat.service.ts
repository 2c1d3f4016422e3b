import {
  Inject,
  Injectable,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import { cancelStatements, type Queryable } from '@app/database';
import { DispatchService, FinishService, PlanService, SlotsService } from '@app/engine';
import { forgetQueueTroubles, noteQueueTrouble } from '@app/lanes';
import {
  Gauge,
  health,
  HealthFault,
  type Logger,
  messageOf,
  metrics,
  systemClock,
  taskHealth,
} from '@app/platform';
import { DeliveryQueues, queueTroubles } from '@app/queue';
import type pg from 'pg';
import { BEAT_CONFIG, type BeatConfig, LOGGER } from './config.js';
import { LeaderSession } from './leader-session.js';
import { readPool } from './read-pool.js';
import { LeaderReports, warnOfMissingSettings } from './reports.js';
import { schedule } from './schedule.js';
import { Signal } from './signal.js';
import { TaskLoop } from './task-loop.js';
import { untilStopped } from './turns.js';

const STANDBY_MS = 1_000;
/** Limit of the statements that feed, ms: they read a few hundred rows by index; a slower one is repeated. */
const FEED_TIMEOUT_MS = 5_000;
/** A run under way when the leadership ends has so long for its statement. */
const CANCEL_AFTER_MS = 3_000;

const leaderGauge = new Gauge({
  name: 'posthorn_beat_leader',
  help: '1 in the beat that leads, 0 in the spare ones',
  registers: [metrics],
});

/** Leads while it holds the lock; otherwise waits for it. */
@Injectable()
export class BeatService implements OnApplicationBootstrap, OnModuleDestroy {
  private stopped = false;
  private term: Term | undefined;
  private timer: NodeJS.Timeout | undefined;
  private lastContact = new Date(0);
  private complaint: unknown;

  constructor(
    @Inject(BEAT_CONFIG) private readonly config: BeatConfig,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    health.register('ready', 'database', () => this.checkContact());
    health.register('ready', 'queue', () => queueTroubles.check());
    health.register('ready', 'tasks', () => taskHealth.check(systemClock.monotonic()));
  }

  onApplicationBootstrap(): void {
    warnOfMissingSettings(this.config.reports, this.logger);
    void this.stand();
  }

  async onModuleDestroy(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.term?.end();
  }

  private async stand(): Promise<void> {
    try {
      const session = await LeaderSession.tryOpen(this.config.directUrl);
      this.lastContact = systemClock.now();
      this.complaint = undefined;
      if (session && this.stopped) await session.close();
      else if (session) {
        this.lead(session);
        return;
      }
    } catch (error) {
      this.complain(error);
    }
    this.standAgain();
  }

  private lead(session: LeaderSession): void {
    this.logger.info('leading');
    leaderGauge.set(1);
    const term = new Term(session, this.config, this.logger);
    this.term = term;
    session.on('lost', (error) => {
      this.logger.warn({ error: messageOf(error) }, 'the leadership is lost');
      leaderGauge.set(0);
      this.term = undefined;
      void term.end();
      this.standAgain();
    });
  }

  private standAgain(): void {
    if (!this.stopped) this.timer = setTimeout(() => void this.stand(), STANDBY_MS);
  }

  /** One line per reason, not one a second. */
  private complain(error: unknown): void {
    const before = this.complaint === undefined ? undefined : messageOf(this.complaint);
    if (messageOf(error) !== before) {
      this.logger.warn({ error: messageOf(error) }, 'waiting for the database');
    }
    this.complaint = error;
  }

  private checkContact(): Promise<void> {
    if (this.term) return this.term.check();
    if (this.complaint instanceof Error) return Promise.reject(this.complaint);
    const silent = systemClock.now().getTime() - this.lastContact.getTime();
    return silent < 10 * STANDBY_MS
      ? Promise.resolve()
      : Promise.reject(
          new HealthFault('the database cannot be reached', { code: 'database_unreachable' }),
        );
  }
}

/** One time of leadership: the services on the leader's session, and their loops. */
class Term {
  private readonly loops: TaskLoop[];
  private readonly queues: DeliveryQueues;
  private readonly dispatch: DispatchService;
  private readonly leaderReports: LeaderReports;
  private readonly readers: pg.Pool;
  private readonly stops: (() => void)[];

  constructor(
    private readonly session: LeaderSession,
    config: BeatConfig,
    logger: Logger,
  ) {
    const engine = untilStopped(session.db);
    const lowPriority = untilStopped(session.lowPriority);
    this.stops = [engine.stop, lowPriority.stop];
    this.showQueueTroubles(engine.db, logger);
    const { db } = engine;
    const slots = new SlotsService(db, logger);
    this.readers = readPool(config.directUrl, 'posthorn-beat-dispatch', logger, {
      avoidSequentialScans: true,
      statementTimeoutMs: FEED_TIMEOUT_MS,
    });
    this.queues = new DeliveryQueues({
      url: config.queueUrl,
      prefix: session.queuePrefix,
      logger,
    });
    this.dispatch = new DispatchService({
      db,
      read: this.readers,
      openQueue: (lane) => this.queues.open(lane),
      concurrency: config.concurrency,
      clock: systemClock,
      logger,
    });
    // Not stopped: the outcome of a report that is being sent has to be recorded.
    this.leaderReports = new LeaderReports(session.db, config, logger);
    const changed = new Signal();
    const services = {
      slots,
      plan: new PlanService(db, lowPriority.db, slots, logger),
      dispatch: this.dispatch,
      finish: new FinishService(db, logger),
      reports: this.leaderReports.reports,
    };
    this.loops = schedule(services, changed).map((task) => new TaskLoop(task, { logger }));
    session.on('wake', () => {
      this.dispatch.wake();
      changed.raise();
    });
  }

  /** In the lanes' rows, for the API, which has no queue of its own. */
  private showQueueTroubles(db: Queryable, logger: Logger): void {
    const report = (error: unknown) => {
      logger.debug({ error: messageOf(error) }, 'the error of the queue could not be stored');
    };
    let last = forgetQueueTroubles(db).catch(report);
    queueTroubles.listen((lane, words) => {
      last = last.then(() => noteQueueTrouble(db, lane, words)).catch(report);
    });
  }

  /** Whether the leader can work. */
  check(): Promise<void> {
    return this.session.check();
  }

  async end(): Promise<void> {
    queueTroubles.listen(undefined);
    this.leaderReports.stop();
    for (const stop of this.stops) stop();
    const cancelTimer = setInterval(() => void this.cancelStatements(), CANCEL_AFTER_MS);
    try {
      // eslint-disable-next-line no-restricted-syntax -- a loop that stops never fails
      await Promise.all(this.loops.map((loop) => loop.stop()));
      await this.dispatch.close();
      await this.queues.close();
      await this.readers.end().catch(() => undefined);
      await this.leaderReports.close();
    } finally {
      clearInterval(cancelTimer);
    }
    taskHealth.forgetAll();
    queueTroubles.forgetAll();
    await this.session.close();
  }

  /** A statement that waits for a lock would hold up the end, and with its own locks the next leader. */
  private async cancelStatements(): Promise<void> {
    await Promise.all([
      this.session.cancel(),
      cancelStatements(this.readers),
      this.leaderReports.cancelStatements(),
    ]);
  }
}
