import { createServer, type Server } from 'node:http';
import type { Server as NetServer } from 'node:net';
import PostalMime, { type Email } from 'postal-mime';
import { SMTPServer, type SMTPServerSession } from 'smtp-server';
import { answerPage } from './mail-catcher-pages.js';

/** A mail as it came in. */
export interface CaughtMail {
  /** From 1. */
  number: number;
  receivedAt: Date;
  /** Of the envelope. */
  from: string;
  to: string[];
  raw: Buffer;
  /** Parsed: subject, headers, text, html, attachments. */
  email: Email;
}

/** What a test lets the server do. Answers are like `450 4.2.0 Try again later`. */
export interface MailFaults {
  /** Answers a recipient; undefined takes it. */
  recipient?: (address: string) => string | undefined | Promise<string | undefined>;
  /** After the content has come in: answers it, or undefined to take it. May wait. */
  content?: (mail: CaughtMail) => string | undefined | Promise<string | undefined>;
}

export interface MailCatcherOptions {
  host?: string;
  /** Default: any free port. */
  smtpPort?: number;
  /** Of the pages that show what was caught. Default: any free port. */
  httpPort?: number;
  /** The oldest are dropped when there are more. */
  keep?: number;
}

/** A real SMTP server that delivers nothing and shows what it got. */
export class MailCatcher {
  /** What it took, oldest first. */
  readonly mails: CaughtMail[] = [];
  faults: MailFaults = {};
  private count = 0;
  private readonly waiting = new Set<() => void>();

  private constructor(
    private readonly options: Required<MailCatcherOptions>,
    private readonly smtp: SMTPServer,
    private readonly http: Server,
  ) {}

  static async start(options: MailCatcherOptions = {}): Promise<MailCatcher> {
    const settings = { host: '127.0.0.1', smtpPort: 0, httpPort: 0, keep: 500, ...options };
    const smtp = new SMTPServer({
      authOptional: true,
      disableReverseLookup: true,
      disabledCommands: ['STARTTLS'],
      onRcptTo: ({ address }, _session, done) => {
        void catcher.recipient(address).then(done, done);
      },
      onData: (stream, session, done) => {
        const chunks: Buffer[] = [];
        stream.on('data', (chunk: Buffer) => chunks.push(chunk));
        stream.on('error', done);
        stream.on('end', () => {
          void catcher.content(Buffer.concat(chunks), session).then(done, done);
        });
      },
    });
    // A client may break off.
    smtp.on('error', () => undefined);
    const http = createServer((request, response) => {
      answerPage(catcher.mails, request, response);
    });
    const catcher = new MailCatcher(settings, smtp, http);
    await listen(smtp.server, settings.smtpPort, settings.host);
    await listen(http, settings.httpPort, settings.host);
    return catcher;
  }

  /** For SMTP_URL. */
  get smtpUrl(): string {
    return `smtp://${this.options.host}:${portOf(this.smtp.server)}`;
  }

  /** Where to read what was caught. */
  get url(): string {
    return `http://${this.options.host}:${portOf(this.http)}`;
  }

  /** Waits until so many mails were taken. */
  async waitFor(count: number, timeoutMs = 10_000): Promise<CaughtMail[]> {
    if (this.mails.length < count) {
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => {
          this.waiting.delete(look);
          reject(new Error(`${this.mails.length} of ${count} mails within ${timeoutMs} ms`));
        }, timeoutMs);
        const look = () => {
          if (this.mails.length < count) return;
          clearTimeout(timer);
          this.waiting.delete(look);
          resolve();
        };
        this.waiting.add(look);
      });
    }
    return this.mails;
  }

  async stop(): Promise<void> {
    this.http.closeAllConnections();
    // Connections that hang are cut off: no test waits for them.
    for (const connection of this.smtp.connections as Set<{ close(): void }>) connection.close();
    await Promise.all([
      new Promise<void>((resolve) => {
        this.smtp.close(resolve);
      }),
      new Promise((resolve) => this.http.close(resolve)),
    ]);
  }

  private async recipient(address: string): Promise<Error | null> {
    return refusal(await this.faults.recipient?.(address));
  }

  private async content(raw: Buffer, { envelope }: SMTPServerSession): Promise<Error | null> {
    const mail: CaughtMail = {
      number: ++this.count,
      receivedAt: new Date(),
      from: envelope.mailFrom === false ? '' : envelope.mailFrom.address,
      to: envelope.rcptTo.map(({ address }) => address),
      raw,
      email: await PostalMime.parse(raw),
    };
    const refused = refusal(await this.faults.content?.(mail));
    if (refused) return refused;
    this.mails.push(mail);
    if (this.mails.length > this.options.keep) this.mails.shift();
    for (const look of [...this.waiting]) look();
    return null;
  }
}

function refusal(answer: string | undefined): Error | null {
  if (answer === undefined) return null;
  const [, code, words] = /^(\d{3}) (.*)$/.exec(answer) ?? [];
  return Object.assign(new Error(words), { responseCode: Number(code) });
}

function listen(server: NetServer, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
}

function portOf(server: NetServer): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
