import type { Readable } from 'node:stream';
import { messageOf } from '@app/platform';
import axios, { type AxiosInstance } from 'axios';
import type { ClaimedReport } from './sending.queries.js';
import type { ReportWay, SendOutcome } from './send.service.js';
import type { ReportSettings } from './settings.js';
import { render } from './templates/render.js';

const ATTEMPT_MS = 10_000;
const GRACE_MS = 3_000;
const KEPT_OF_ANSWER = 500;

export interface WebhookOptions {
  /** May hold a secret: it is told to nobody. */
  url: string;
  settings: ReportSettings;
  attemptMs?: number;
}

/**
 * Posts alerts as JSON: `{id, kind, key, subject, text, …what the alert says}`. A receiver may get
 * one twice and knows it by the header `Idempotency-Key`, which is the `id` in the body.
 */
export class Webhook implements ReportWay {
  private readonly http: AxiosInstance;
  private readonly stopping = new AbortController();

  constructor(private readonly options: WebhookOptions) {
    this.http = axios.create({
      maxRedirects: 0,
      responseType: 'stream',
      validateStatus: () => true,
    });
  }

  async send(report: ClaimedReport, handOver: () => Promise<void>): Promise<SendOutcome> {
    const { url, settings, attemptMs = ATTEMPT_MS } = this.options;
    const { subject, text } = render(report.content, settings, {
      possibleDuplicate: report.possibleDuplicate,
    });
    const { messageId: id, key, content } = report;
    let handedOver = false;
    try {
      await handOver();
      handedOver = true;
      const answer = await this.http.post<Readable>(
        url,
        { id, key, subject, text, ...content },
        {
          headers: { 'idempotency-key': id, 'user-agent': 'Posthorn' },
          signal: AbortSignal.any([AbortSignal.timeout(attemptMs), this.stopping.signal]),
        },
      );
      return outcomeOf(report, answer.status, await beginningOf(answer.data));
    } catch (error) {
      return {
        kind: 'retry',
        refused: [],
        answer: null,
        error: messageOf(error),
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

/** The status has said everything: what follows is kept for people, as far as it comes. */
async function beginningOf(body: Readable): Promise<string> {
  let text = '';
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      text += chunk.toString('utf8');
      if (text.length >= KEPT_OF_ANSWER) break;
    }
  } catch {
    // Cut off.
  }
  return text.slice(0, KEPT_OF_ANSWER);
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
    error: `The webhook answered ${status}`,
    uncertain: false,
  };
}
