import type { IncomingMessage, ServerResponse } from 'node:http';
import { acceptsMessage, perform } from '../faults/actions.js';
import type { Faults } from '../faults/faults.js';
import type { FaultRule } from '../faults/settings.js';
import { readBody } from '../read-body.js';
import type { MsgId, ReceivedLog } from '../received/log.js';
import { Exchange } from './exchange.js';
import { TokenCheck } from './token.js';
import { parseMsgId, parsePayload } from './validation.js';

const SEND = '/v1/send/';
const BODY_LIMIT = 1_048_576;

/** Where the log of the moment is: a reset puts a new one into its place. */
export interface Received {
  log: ReceivedLog;
}

/** The stand-in for the notification API, from its specification: `POST /v1/send/{msgId}`. */
export class NotificationApi {
  private readonly tokens: TokenCheck;

  constructor(
    private readonly received: Received,
    private readonly faults: Faults,
    token: string | undefined,
  ) {
    this.tokens = new TokenCheck(token);
  }

  serves(path: string): boolean {
    return path.startsWith('/v1/');
  }

  handle(request: IncomingMessage, response: ServerResponse, path: string): void {
    if (request.method === 'POST' && path.startsWith(SEND)) {
      this.send(request, response, path.slice(SEND.length));
      return;
    }
    const status = path.startsWith(SEND) ? 405 : 404;
    request.resume();
    response.writeHead(status, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify({ code: status, message: 'this is no route of the API' }));
  }

  /**
   * A wrong token or a wrong request gets its 401 or 400 whatever rules are on, except the rule
   * that cuts the connection before there is a body to be wrong.
   */
  private send(request: IncomingMessage, response: ServerResponse, idText: string): void {
    const { authorization } = request.headers;
    const { log } = this.received;
    const id = parseMsgId(idText);
    const entry = log.arrive(id, authorization ?? '');
    const exchange = new Exchange(request, response, entry, log);

    const refusal = this.tokenRefusal(authorization);
    const rule =
      refusal === undefined && id !== undefined ? this.faults.choose(id, entry.nth) : undefined;
    if (rule?.fault === 'reset-before-body') {
      exchange.reset();
      return;
    }
    readBody(request, BODY_LIMIT, (body) => {
      if (body === 'aborted') exchange.unanswered();
      else if (refusal !== undefined) exchange.refuse(401, refusal);
      else if (id === undefined) exchange.refuse(400, 'the id in the path must be an int64');
      else if (body === 'too-large') exchange.refuse(413, 'the body is too large');
      else this.answer(exchange, id, body, rule);
    });
  }

  private answer(exchange: Exchange, id: MsgId, body: Buffer, rule: FaultRule | undefined): void {
    const payload = parsePayload(id, body);
    if (typeof payload === 'string') {
      exchange.refuse(400, payload);
      return;
    }
    exchange.payload(payload);
    if (!rule || acceptsMessage(rule)) exchange.accept();
    exchange.after(this.faults.latencyMs(id, exchange.nth), () => {
      if (rule) perform(rule, exchange);
      else exchange.ok();
    });
  }

  private tokenRefusal(authorization: string | undefined): string | undefined {
    const { accept } = this.faults.settings.token;
    const refusal = this.tokens.refusal(authorization, accept);
    if (refusal !== undefined) return refusal;
    return this.faults.tokenExpires() ? 'the token has expired' : undefined;
  }
}
