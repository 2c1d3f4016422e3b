import { Readable } from 'node:stream';
import { canonicalEmail } from '@app/platform';
import { createTransport, type SendMailOptions, type Transporter } from 'nodemailer';
import { Recipients } from '../recipients.js';
import type { ClaimedReport, Refusal } from './sending.queries.js';
import type { ReportSender, SendOutcome } from './send.service.js';
import { failureOf, type SmtpSuccess, successOf } from './smtp-outcome.js';
import type { Rendered } from '../templates/context.js';

/** Milliseconds. */
export interface MailLimits {
  /** To resolve the name and connect. */
  connect: number;
  greeting: number;
  /** Without any answer of the server. */
  silence: number;
  /** The whole of one attempt: a server that drips would evade the others. */
  attempt: number;
  /** What an attempt under way still gets when the process is to stop. */
  grace: number;
}

const LIMITS: MailLimits = {
  connect: 10_000,
  greeting: 10_000,
  silence: 30_000,
  attempt: 60_000,
  grace: 5_000,
};

const NO_ADDRESS = 'It is not an e-mail address';
const MOST_OF_ANSWER_BYTES = 65_536;

export interface MailerOptions {
  /** `smtp://` or `smtps://`, with user, password and nodemailer's options in it. */
  url: string;
  /** `Name <address>` */
  from: string;
  limits?: Partial<MailLimits>;
}

/** The types of nodemailer are two versions behind: it takes a signal, and passes our own field on. */
interface Mail extends SendMailOptions {
  signal: AbortSignal;
  handOver: () => Promise<void>;
}

/** Sends reports by SMTP, over one connection that is kept for the next one. */
export class Mailer implements ReportSender {
  private readonly transport: Transporter;
  private readonly stopping = new AbortController();
  private readonly limits: MailLimits;

  constructor(private readonly options: MailerOptions) {
    this.limits = { ...LIMITS, ...options.limits };
    const { connect, greeting, silence } = this.limits;
    const pool = {
      url: options.url,
      pool: true as const,
      maxConnections: 1,
      // It would send again by itself; when and how often is decided elsewhere.
      maxRequeues: 0,
      connectionTimeout: connect,
      dnsTimeout: connect,
      greetingTimeout: greeting,
      socketTimeout: silence,
      // Of one answer: the longest that a server has reason to give is a fraction of it.
      maxResponseSize: MOST_OF_ANSWER_BYTES,
      disableFileAccess: true,
      disableUrlAccess: true,
    };
    this.transport = createTransport(pool);
    this.transport.use('stream', (mail, done) => {
      const { handOver } = mail.data as Mail;
      // Read for the first time when the server has answered DATA with "go ahead".
      mail.message.processFunc((content) => afterHandOver(handOver, content));
      done();
    });
  }

  async send(
    report: ClaimedReport,
    rendered: Rendered,
    handOver: () => Promise<void>,
  ): Promise<SendOutcome> {
    const recipients = new Recipients(report);
    const { addresses } = recipients;
    const unusable = recipients.unusable.map((recipient) => ({ recipient, answer: NO_ADDRESS }));
    if (addresses.length === 0) {
      return {
        kind: 'refused',
        refused: unusable,
        answer: null,
        errorCode: 'no_address',
        error: NO_ADDRESS,
      };
    }
    let handedOver = false;
    const mail: Mail = {
      ...this.compose(report, rendered),
      envelope: {
        from: this.options.from,
        to: addresses.map((address) => ({ name: '', address })),
      },
      signal: AbortSignal.any([AbortSignal.timeout(this.limits.attempt), this.stopping.signal]),
      handOver: async () => {
        await handOver();
        handedOver = true;
      },
    };
    try {
      const success = (await this.transport.sendMail(mail)) as SmtpSuccess;
      return withRefusals(successOf(success, recipients), unusable);
    } catch (error) {
      return withRefusals(failureOf(error, recipients, handedOver), unusable);
    }
  }

  stop(): void {
    setTimeout(() => {
      this.stopping.abort(new Error('The process stops'));
    }, this.limits.grace).unref();
  }

  close(): void {
    this.transport.close();
  }

  private compose(report: ClaimedReport, { subject, text, html }: Rendered): SendMailOptions {
    const { from } = this.options;
    const domain = /@([^\s@<>]+)>?\s*$/.exec(from)?.[1] ?? 'localhost';
    return {
      from,
      to: report.recipients
        .filter((recipient) => canonicalEmail(recipient) !== null)
        .map((address) => ({ name: '', address })),
      subject,
      text,
      html,
      // The same in every attempt: servers and readers may know a second copy by it.
      messageId: `<${report.messageId}@${domain}>`,
      headers: {
        'Auto-Submitted': 'auto-generated',
        'X-Posthorn-Report': `${report.kind} ${report.key}`,
        'X-Posthorn-Attempt': String(report.attempts),
        ...(report.possibleDuplicate && { 'X-Posthorn-Possible-Duplicate': 'yes' }),
      },
      attachments: report.attachment
        ? [
            {
              filename: `posthorn-${report.date ?? report.key}.csv`,
              content: report.attachment,
              contentType: 'text/csv; charset=utf-8',
            },
          ]
        : [],
    };
  }
}

function withRefusals(outcome: SendOutcome, refusals: readonly Refusal[]): SendOutcome {
  if (outcome.kind === 'unsendable') return outcome;
  return { ...outcome, refused: [...outcome.refused, ...refusals] };
}

function afterHandOver(handOver: () => Promise<void>, content: Readable): Readable {
  async function* read() {
    await handOver();
    yield* content as AsyncIterable<Buffer>;
  }
  return Readable.from(read(), { objectMode: false });
}
