import type { Queryable, ReportTransport } from '@app/domain';
import { type Clock, Counter, type Logger, metrics } from '@app/platform';
import { keepUnsendable } from './outbox.queries.js';
import {
  type AttemptRecord,
  claimDueReport,
  type ClaimedReport,
  hasOpenReports,
  markHandedOverIfSending,
  recordAttemptIfSending,
  type Refusal,
  returnAbandoned,
} from './sending.queries.js';
import type { Now } from './settings.js';

/** Seconds to wait after the first, second … attempt; the last one again and again. */
const RETRY_SCHEDULE_S = [30, 60, 120, 300, 600, 900];

/** What became of one attempt. */
export type SendOutcome =
  | {
      kind: 'sent';
      /** Recipients whose server took it. */
      accepted: string[];
      refused: Refusal[];
      /** Recipients whose server wants to be asked again later. */
      deferred: string[];
      answer: string;
    }
  /** By the last recipient: there is nobody left to send it to. */
  | { kind: 'refused'; refused: Refusal[]; answer: string | null; error: string }
  | {
      kind: 'retry';
      refused: Refusal[];
      answer: string | null;
      error: string;
      /** The content was on its way and nobody said what became of it: it may have arrived. */
      uncertain: boolean;
    };

/** A way out for reports: e-mail, webhook. */
export interface ReportWay {
  /**
   * Never throws for the behaviour of the other side, and ends within a bounded time.
   *
   * @param handOver to be awaited directly before the first byte of the content leaves; when it
   *   rejects, nothing may leave.
   */
  send(report: ClaimedReport, handOver: () => Promise<void>): Promise<SendOutcome>;
  /** From now on there is little time: an attempt under way gets a few seconds more. */
  stop(): void;
  close(): void;
}

export interface SendOptions {
  db: Queryable;
  transport: ReportTransport;
  /** Null: there is none, for the reason given. */
  way: ReportWay | null;
  whyNot: string;
  now: Now;
  clock: Pick<Clock, 'monotonic'>;
  logger: Logger;
}

const attempted = new Counter({
  name: 'posthorn_report_attempts_total',
  help: 'Attempts to send a report or an alert, by transport and by what became of them',
  labelNames: ['transport', 'outcome'],
  registers: [metrics],
});

/** Sends what is due on one way, one report at a time. Only the leader has one. */
export class SendService {
  /** Outcomes that are known here and not yet in the database. */
  private unrecorded: AttemptRecord[] = [];

  constructor(private readonly options: SendOptions) {}

  /** @returns whether there may be more to send now. */
  async run(): Promise<boolean> {
    const { db, transport, way } = this.options;
    await this.record();
    if (!(await hasOpenReports(db, transport))) return false;
    const now = await this.options.now();
    await this.returnAbandoned(now);
    await keepUnsendable(db, transport, way ? null : this.options.whyNot);
    const report = way && (await claimDueReport(db, transport, now));
    if (!report) return false;
    return this.send(way, report, now);
  }

  /** Before the end: what is under way gets a few seconds. */
  stop(): void {
    this.options.way?.stop();
  }

  close(): void {
    this.options.way?.close();
  }

  private async send(way: ReportWay, report: ClaimedReport, begun: Date): Promise<boolean> {
    const { clock, transport, logger } = this.options;
    const startedAt = clock.monotonic();
    const outcome = await way.send(report, () => this.handOver(report));
    const now = new Date(begun.getTime() + clock.monotonic() - startedAt);
    const record = recordOf(report, outcome, now);
    this.unrecorded.push(record);
    attempted.inc({ transport, outcome: outcome.kind });
    const line = { report: report.id, kind: report.kind, key: report.key, transport };
    const { attempt, answer, error } = record;
    if (record.becomes === 'sent') logger.info({ ...line, attempt, answer }, 'report sent');
    else logger.warn({ ...line, attempt, error, becomes: record.becomes }, 'report not sent');
    await this.record();
    return outcome.kind !== 'retry';
  }

  private async handOver({ id, attempts }: ClaimedReport): Promise<void> {
    if (await markHandedOverIfSending(this.options.db, id, attempts)) return;
    throw new Error('The attempt is no longer ours');
  }

  /** Outcomes stay in memory until they are written down, whatever happens to the database. */
  private async record(): Promise<void> {
    for (const record of [...this.unrecorded]) {
      await recordAttemptIfSending(this.options.db, record);
      this.unrecorded = this.unrecorded.filter((other) => other !== record);
    }
  }

  private async returnAbandoned(now: Date): Promise<void> {
    const { db, transport, logger } = this.options;
    const held = this.unrecorded.map(({ id }) => id);
    for (const { id, uncertain } of await returnAbandoned(db, transport, held, now)) {
      logger.warn({ report: id, uncertain }, 'an attempt was abandoned and is repeated');
    }
  }
}

function recordOf(report: ClaimedReport, outcome: SendOutcome, now: Date): AttemptRecord {
  const { id, attempts: attempt } = report;
  const accepted = outcome.kind === 'sent' ? outcome.accepted : [];
  const arrived = report.accepted.length + accepted.length > 0;
  const notBefore = new Date(now.getTime() + waitMs(attempt));
  const again = asksForMore(outcome) && notBefore <= report.giveUpAt;
  return {
    id,
    attempt,
    becomes: again ? 'pending' : arrived ? 'sent' : 'failed',
    notBefore: again ? notBefore : null,
    accepted,
    refused: outcome.refused,
    uncertain: outcome.kind === 'retry' && outcome.uncertain,
    answer: outcome.answer,
    error: errorOf(outcome),
  };
}

function asksForMore(outcome: SendOutcome): boolean {
  return outcome.kind === 'retry' || (outcome.kind === 'sent' && outcome.deferred.length > 0);
}

function errorOf(outcome: SendOutcome): string | null {
  if (outcome.kind !== 'sent') return outcome.error;
  return outcome.deferred.length > 0 ? `Not taken for ${outcome.deferred.join(', ')}` : null;
}

function waitMs(attempt: number): number {
  const last = RETRY_SCHEDULE_S.length - 1;
  return 1000 * (RETRY_SCHEDULE_S[Math.min(attempt - 1, last)] ?? 0);
}
