import { openSession } from '@app/database';
import { HealthFault } from '@app/platform';

const LIMIT_MS = 60_000;
const LOOK_MS = 5_000;

export interface LivenessOptions {
  /** For how long jobs have been waiting while none was taken or ended; 0 when the queue is away. */
  stalledForMs: () => number;
  /** Whether the database would serve us: it answers, and nothing of ours waits for a lock in it. */
  isDatabaseFree: () => Promise<boolean>;
  limitMs?: number;
  lookMs?: number;
}

/**
 * Whether this process should be restarted: jobs wait for it, nothing has moved for a minute, and
 * neither the queue nor the database is the reason, for which a restart does not help. The database is
 * asked beside the health check, which has no time to wait for it.
 */
export class Liveness {
  private fault: HealthFault | null = null;
  private looking = false;
  private readonly timer: NodeJS.Timeout;

  constructor(private readonly options: LivenessOptions) {
    this.timer = setInterval(() => void this.look(), options.lookMs ?? LOOK_MS);
    this.timer.unref();
  }

  check(): Promise<void> {
    return this.fault === null ? Promise.resolve() : Promise.reject(this.fault);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private async look(): Promise<void> {
    if (this.looking) return;
    this.looking = true;
    try {
      const { limitMs = LIMIT_MS, stalledForMs, isDatabaseFree } = this.options;
      const isStalled = () => stalledForMs() >= limitMs;
      const isFree = isStalled() && (await isDatabaseFree().catch(() => false));
      this.fault = isFree && isStalled() ? faultAfter(Math.round(stalledForMs() / 1000)) : null;
    } finally {
      this.looking = false;
    }
  }
}

function faultAfter(seconds: number): HealthFault {
  return new HealthFault(`jobs have been waiting for ${seconds} s and none is taken`, {
    code: 'jobs_not_taken',
    data: { seconds },
  });
}

/** On a session of its own: the pool may be broken. */
export async function isDatabaseFree(url: string, applicationName: string): Promise<boolean> {
  const session = await openSession(url, 'posthorn-liveness', { statementTimeoutMs: 2_000 });
  try {
    const { rows } = await session.query<{ waiting: boolean }>(
      `SELECT EXISTS (SELECT FROM pg_stat_activity
         WHERE application_name = $1 AND wait_event_type = 'Lock') AS waiting`,
      [applicationName],
    );
    return rows[0]?.waiting === false;
  } finally {
    await session.end();
  }
}
