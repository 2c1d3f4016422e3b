import {
  isDatabaseAway,
  isValueRefused,
  type Queryable,
  type ReportTransport,
} from '@app/database';
import { type Clock, Counter, Isolated, type Logger, messageOf, metrics } from '@app/platform';
import { asciiText, storableText } from '../external-text.js';
import { keepUnsendable } from '../outbox.queries.js';
import {
  type ReportAttempt,
  claimDueReport,
  type ClaimedReport,
  hasOpenReports,
  markHandedOverIfSending,
  recordAttemptIfSending,
  type Refusal,
  returnAbandoned,
} from './sending.queries.js';
import { failureOfCall, type SendFailure } from './send-failure.js';
import type { Now, ReportSettings } from '../settings.js';
import type { Rendered } from '../templates/context.js';
import { render } from '../templates/render.js';

/** Seconds to wait after the first, second … attempt; the last one again and again. */
const RETRY_SCHEDULE_S = [30, 60, 120, 300, 600, 900];

/** What became of one attempt. */
export type SendOutcome =
  | {
      kind: 'sent';
      /** Recipients whose server accepted it. */
      accepted: string[];
      refused: Refusal[];
      /** Recipients whose server wants to be asked again later. */
      deferred: string[];
      answer: string;
    }
  /** By the last recipient: there is nobody left to send it to. */
  | ({ kind: 'refused'; refused: Refusal[]; answer: string | null } & SendFailure)
  | ({
      kind: 'retry';
      refused: Refusal[];
      answer: string | null;
      /** The content was being sent and no answer came: it may have arrived. */
      uncertain: boolean;
    } & SendFailure)
  /** It cannot be rendered, now or later: nothing was tried. */
  | ({ kind: 'unsendable' } & SendFailure);

/** Delivers reports over one transport: e-mail or webhook. */
export interface ReportSender {
  /**
   * Never throws for the behaviour of the receiver, and ends within a bounded time.
   *
   * @param rendered the report as its readers see it
   * @param handOver to be awaited directly before the first byte of the content leaves; when it
   *   rejects, nothing may leave.
   */
  send(
    report: ClaimedReport,
    rendered: Rendered,
    handOver: () => Promise<void>,
  ): Promise<SendOutcome>;
  /** From now on there is little time: an attempt under way gets a few seconds more. */
  stop(): void;
  close(): void;
}

export interface SendOptions {
  db: Queryable;
  transport: ReportTransport;
  /** Null: the transport has no settings. */
  sender: ReportSender | null;
  /** Why there is no sender. */
  missingSetting: string;
  settings: ReportSettings;
  now: Now;
  clock: Clock;
  logger: Logger;
}

const attempted = new Counter({
  name: 'posthorn_report_attempts_total',
  help: 'Attempts to send a report or an alert, by transport and by what became of them',
  labelNames: ['transport', 'outcome'],
  registers: [metrics],
});

export const recordTask = (transport: ReportTransport) => `report-record-${transport}`;

/** Sends the due reports of one transport, one at a time. Only the leader has one. */
export class SendService {
  /** Outcomes that are known here and not yet in the database. */
  private unrecorded: ReportAttempt[] = [];
  private readonly recording: Isolated<ReportAttempt>;

  constructor(private readonly options: SendOptions) {
    this.recording = new Isolated<ReportAttempt>({
      task: recordTask(options.transport),
      key: ({ id }) => id,
      fields: ({ id, attempt }) => ({ report: id, attempt }),
      isShared: isDatabaseAway,
      clock: options.clock,
      logger: options.logger,
    });
  }

  /** @returns whether there may be more to send now. */
  async run(): Promise<boolean> {
    const { db, transport, sender } = this.options;
    await this.record();
    if (!(await hasOpenReports(db, transport))) return false;
    const now = await this.options.now();
    await this.returnAbandoned(now);
    await keepUnsendable(db, transport, sender ? null : this.options.missingSetting);
    const report = sender && (await claimDueReport(db, transport, now));
    if (!report) return false;
    return this.send(sender, report, now);
  }

  /** Before the end: what is under way gets a few seconds. */
  stop(): void {
    this.options.sender?.stop();
  }

  close(): void {
    this.options.sender?.close();
  }

  private async send(sender: ReportSender, report: ClaimedReport, begun: Date): Promise<boolean> {
    const { clock, transport, logger } = this.options;
    const startedAt = clock.monotonic();
    const outcome = await this.attempt(sender, report);
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

  /** An error of one report becomes its outcome: the others have their turn. */
  private async attempt(sender: ReportSender, report: ClaimedReport): Promise<SendOutcome> {
    const rendered = this.layOut(report);
    if ('error' in rendered) return { kind: 'unsendable', ...rendered };
    let handedOver = false;
    try {
      return await sender.send(report, rendered, async () => {
        await this.handOver(report);
        handedOver = true;
      });
    } catch (error) {
      const answered = { refused: [], answer: null };
      return { kind: 'retry', ...answered, ...failureOfCall(error), uncertain: handedOver };
    }
  }

  private layOut({ content, possibleDuplicate }: ClaimedReport): Rendered | SendFailure {
    try {
      return render(content, this.options.settings, { possibleDuplicate });
    } catch (error) {
      return { errorCode: 'not_laid_out', error: `It could not be laid out: ${messageOf(error)}` };
    }
  }

  private async handOver({ id, attempts }: ClaimedReport): Promise<void> {
    if (await markHandedOverIfSending(this.options.db, id, attempts)) return;
    throw new Error('The attempt is no longer ours');
  }

  /** Outcomes stay in memory until they are written down, whatever happens to the database. */
  private async record(): Promise<void> {
    await this.recording.run([...this.unrecorded], async (record) => {
      await this.recordOne(record);
      this.unrecorded = this.unrecorded.filter((other) => other !== record);
    });
  }

  /** Words that the database refuses are left out, so that the outcome is stored. */
  private async recordOne(record: ReportAttempt): Promise<void> {
    const { db, logger } = this.options;
    try {
      await recordAttemptIfSending(db, record);
    } catch (error) {
      if (!isValueRefused(error)) throw error;
      logger.warn({ report: record.id, error: messageOf(error) }, 'an answer was stored as ASCII');
      await recordAttemptIfSending(db, inAscii(record));
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

function recordOf(report: ClaimedReport, outcome: SendOutcome, now: Date): ReportAttempt {
  const { id, attempts: attempt } = report;
  const accepted = outcome.kind === 'sent' ? outcome.accepted : [];
  const refused = outcome.kind === 'unsendable' ? [] : outcome.refused;
  const answer = outcome.kind === 'unsendable' ? null : outcome.answer;
  const failure = failureIn(outcome);
  const arrived = report.accepted.length + accepted.length > 0;
  const notBefore = new Date(now.getTime() + waitMs(attempt));
  const again = asksForMore(outcome) && notBefore <= report.giveUpAt;
  return {
    id,
    attempt,
    becomes: again ? 'pending' : arrived ? 'sent' : 'failed',
    notBefore: again ? notBefore : null,
    accepted,
    refused: refused.map((one) => ({ ...one, answer: storableText(one.answer) })),
    uncertain: outcome.kind === 'retry' && outcome.uncertain,
    answer: answer === null ? null : storableText(answer),
    errorCode: failure?.errorCode ?? null,
    error: failure ? storableText(failure.error) : null,
  };
}

function inAscii(record: ReportAttempt): ReportAttempt {
  const { refused, answer, error } = record;
  return {
    ...record,
    refused: refused.map((one) => ({ ...one, answer: asciiText(one.answer) })),
    answer: answer === null ? null : asciiText(answer),
    error: error === null ? null : asciiText(error),
  };
}

function asksForMore(outcome: SendOutcome): boolean {
  return outcome.kind === 'retry' || (outcome.kind === 'sent' && outcome.deferred.length > 0);
}

function failureIn(outcome: SendOutcome): SendFailure | null {
  if (outcome.kind !== 'sent') return outcome;
  if (outcome.deferred.length === 0) return null;
  return { errorCode: 'deferred', error: `Not taken for ${outcome.deferred.join(', ')}` };
}

function waitMs(attempt: number): number {
  const last = RETRY_SCHEDULE_S.length - 1;
  return 1000 * (RETRY_SCHEDULE_S[Math.min(attempt - 1, last)] ?? 0);
}
