import type { Readable } from 'node:stream';
import axios, { type AxiosInstance } from 'axios';
import type { ClaimedReport } from './sending.queries.js';
import { failureOfCall } from './send-failure.js';
import type { ReportSender, SendOutcome } from './send.service.js';
import { MOST_KEPT, storableText } from '../external-text.js';
import type { Rendered } from '../templates/context.js';

const ATTEMPT_MS = 10_000;
const GRACE_MS = 3_000;
/** Whatever the encoding, these are more characters than are kept. */
const READ_BYTES = 4 * MOST_KEPT;

export interface WebhookOptions {
  /** May hold a secret: it is never shown. */
  url: string;
  attemptMs?: number;
}

/**
 * Posts alerts as JSON: `{id, kind, key, subject, text, …what the alert says}`. A receiver may get
 * one twice and knows it by the header `Idempotency-Key`, which is the `id` in the body.
 */
export class Webhook implements ReportSender {
  private readonly http: AxiosInstance;
  private readonly stopping = new AbortController();

  constructor(private readonly options: WebhookOptions) {
    this.http = axios.create({
      maxRedirects: 0,
      responseType: 'stream',
      // A few compressed bytes may be a gigabyte: what comes is looked at as it comes.
      decompress: false,
      validateStatus: () => true,
    });
  }

  async send(
    report: ClaimedReport,
    { subject, text }: Rendered,
    handOver: () => Promise<void>,
  ): Promise<SendOutcome> {
    const { url, attemptMs = ATTEMPT_MS } = this.options;
    const { messageId: id, key, content } = report;
    let handedOver = false;
    try {
      await handOver();
      handedOver = true;
      const answer = await this.http.post<Readable>(
        url,
        { id, key, subject, text, ...content },
        {
          headers: {
            'idempotency-key': id,
            'user-agent': 'Posthorn',
            'accept-encoding': 'identity',
          },
          signal: AbortSignal.any([AbortSignal.timeout(attemptMs), this.stopping.signal]),
        },
      );
      return outcomeOf(report, answer.status, await beginningOf(answer.data));
    } catch (error) {
      return {
        kind: 'retry',
        refused: [],
        answer: null,
        ...failureOfCall(error),
        uncertain: handedOver,
      };
    }
  }

  stop(): void {
    setTimeout(() => {
      this.stopping.abort(new Error('The process stops'));
    }, GRACE_MS).unref();
  }

  close(): void {
    this.stopping.abort(new Error('Closed'));
  }
}

/** The status decides: the body is kept for people, as far as it is received. */
async function beginningOf(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of body) {
      chunks.push(chunk.subarray(0, READ_BYTES - bytes));
      bytes += chunk.length;
      if (bytes >= READ_BYTES) break;
    }
  } catch {
    // Cut off.
  }
  return storableText(new TextDecoder().decode(Buffer.concat(chunks), { stream: true }));
}

function outcomeOf(report: ClaimedReport, status: number, words: string): SendOutcome {
  const answer = `${status} ${words}`.trim();
  if (status >= 200 && status < 300) {
    return { kind: 'sent', accepted: report.recipients, refused: [], deferred: [], answer };
  }
  return {
    kind: 'retry',
    refused: [],
    answer,
    errorCode: `http_${status}`,
    error: `The webhook answered ${status}`,
    uncertain: false,
  };
}
