import { messageOf, systemClock, withoutTrailingSlashes, type Clock } from '@app/platform';

import type { Channel, Outcome, OutgoingMessage } from '../channel.js';
import { CallError } from '../http/call-error.js';
import { PooledHttp } from '../http/pooled-http.js';
import { detailOf, type Secrets } from '../provider-words.js';
import { classifyAnswer, classifyFailure } from './classify.js';
import type { NotificationContent } from './content.js';
import { NOTIFICATION_API_POLICY } from './policy.js';

export interface NotificationApiOptions {
  /** With the version: `https://provider.example/v1`. */
  baseUrl: string;
  /** The JWT to send; asked before every call, so that a replaced one counts at once. */
  token: () => string;
  /** Connections, and so calls at a time. */
  concurrency: number;
  /** Default 3 s, up to half a second more: undici's timer is coarse. */
  connectTimeoutMs?: number;
  /** The whole call, from connecting to the last byte of the answer. Default: the policy's. */
  callTimeoutMs?: number;
  clock?: Clock;
}

const CONNECT_TIMEOUT = 3_000;
const MAX_ANSWER_BYTES = 64 * 1_024;

/** Sends through the external notification API: `POST {base}/send/{id}` with a bearer token. */
export class NotificationApiChannel implements Channel {
  private readonly http: PooledHttp;
  private readonly path: string;
  private readonly clock: Clock;
  private readonly callTimeoutMs: number;
  private token: string | undefined;
  private headers: string[] = [];

  /** @throws TypeError `baseUrl` is no URL */
  constructor(private readonly options: NotificationApiOptions) {
    const base = new URL(options.baseUrl);
    this.path = `${withoutTrailingSlashes(base.pathname)}/send/`;
    this.clock = options.clock ?? systemClock;
    this.callTimeoutMs = options.callTimeoutMs ?? NOTIFICATION_API_POLICY.callLimitMs;
    this.http = new PooledHttp({
      origin: base.origin,
      connections: options.concurrency,
      connectTimeoutMs: options.connectTimeoutMs ?? CONNECT_TIMEOUT,
      maxAnswerBytes: MAX_ANSWER_BYTES,
      headers: () => this.headers,
      clock: this.clock,
    });
  }

  async send(message: OutgoingMessage<NotificationContent>, deadline: number): Promise<Outcome> {
    if (!/^\d{1,15}$/.test(message.address)) {
      return { kind: 'rejected', code: 'bad_phone', detail: 'the phone is not a number' };
    }
    const refused = this.authorize();
    if (refused) return refused;
    const secrets: Secrets = { token: this.token, phone: message.address };
    try {
      // Whether time is left is decided where the bytes are written: see `Call`.
      const until = Math.min(deadline, this.clock.monotonic() + this.callTimeoutMs);
      const answer = await this.http.post(`${this.path}${message.id}`, bodyOf(message), until);
      return classifyAnswer(answer, secrets, this.clock.now());
    } catch (error) {
      if (error instanceof CallError) return classifyFailure(error, secrets);
      // A fault of ours, with the request perhaps written: nobody knows.
      const detail = detailOf(`the answer could not be classified: ${messageOf(error)}`, secrets);
      return { kind: 'unknown', code: 'internal', detail };
    }
  }

  close(): Promise<void> {
    return this.http.close();
  }

  /** Prepares the headers; an outcome if there is no token that could be sent at all. */
  private authorize(): Outcome | undefined {
    let token: string;
    try {
      token = this.options.token();
    } catch (error) {
      const detail = detailOf(`no token: ${error instanceof Error ? error.message : ''}`, {});
      return { kind: 'unavailable', scope: 'auth', code: 'no_token', detail };
    }
    if (token === this.token) return undefined;
    if (!/^[\x21-\x7e]+$/.test(token)) {
      const detail = 'the token is empty or has characters that a header cannot carry';
      return { kind: 'unavailable', scope: 'auth', code: 'bad_token', detail };
    }
    this.token = token;
    this.headers = ['content-type', 'application/json', 'authorization', `Bearer ${token}`];
    return undefined;
  }
}

/** Written by hand, for the phone must be a number on the wire. */
function bodyOf({ id, address, content }: OutgoingMessage<NotificationContent>): string {
  return `{"id":${id},"phone":${Number(address)},"text":${JSON.stringify(content.text)}}`;
}
