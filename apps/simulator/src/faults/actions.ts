import { pipeline, Readable } from 'node:stream';
import { RAW_OK, type Exchange } from '../provider/exchange.js';
import { gzipBomb, hugeBody, wholeAnswer } from './bodies.js';
import type { FaultRule } from './settings.js';

type Rule<F extends FaultRule['fault']> = Extract<FaultRule, { fault: F }>;

/** Whether the message counts as taken by the provider although its answer meets this rule. */
export function acceptsMessage(rule: FaultRule): boolean {
  if (rule.fault === 'drip' || rule.fault === 'delay' || rule.fault === 'continue') return true;
  return 'accepted' in rule && rule.accepted;
}

/** Applies a rule to a request that was read in full and is valid. */
export function perform(rule: FaultRule, exchange: Exchange): void {
  switch (rule.fault) {
    case 'status':
    case 'wrong-code':
    case 'string-code':
    case 'array':
    case 'html':
    case 'empty':
    case 'truncated-json': {
      const { status, body, headers } = wholeAnswer(rule);
      exchange.answer(status, body, headers);
      break;
    }
    case 'truncated-body':
      truncatedBody(exchange);
      break;
    case 'huge':
      huge(exchange, rule.bytes);
      break;
    case 'gzip-bomb':
      bomb(exchange, rule.bytes);
      break;
    case 'drip':
      drip(exchange, rule);
      break;
    case 'delay':
      exchange.after(rule.ms, () => {
        exchange.ok();
      });
      break;
    case 'continue':
      for (let sent = 0; sent < rule.count; sent++) exchange.response.writeContinue();
      exchange.ok();
      break;
    case 'hang':
      exchange.response.once('close', () => {
        exchange.unanswered();
      });
      break;
    case 'reset-before-body':
    case 'reset-after-body':
      exchange.reset();
      break;
  }
}

/** The head states more bytes than come before the connection is closed. */
function truncatedBody(exchange: Exchange): void {
  const { socket } = exchange.request;
  exchange.settle(200);
  socket.write(Buffer.concat([RAW_OK.head, RAW_OK.body.subarray(0, RAW_OK.body.length / 2)]));
  socket.destroySoon();
}

function huge(exchange: Exchange, bytes: number): void {
  exchange.settle(200);
  exchange.response.writeHead(200, {
    'Content-Type': 'application/json',
    'Content-Length': bytes,
  });
  // A client may close the connection before the end: the error is ignored.
  pipeline(Readable.from(hugeBody(bytes)), exchange.response, () => undefined);
}

function bomb(exchange: Exchange, bytes: number): void {
  exchange.answer(200, gzipBomb(bytes), { 'Content-Encoding': 'gzip' });
}

/** A valid OK, one byte at a time; it counts as written only with its last byte. */
function drip(exchange: Exchange, { intervalMs, part }: Rule<'drip'>): void {
  const { socket } = exchange.request;
  const { head, body } = RAW_OK;
  const bytes = part === 'head' ? Buffer.concat([head, body]) : body;
  if (part === 'body') socket.write(head);
  exchange.settle(200);

  let next = 0;
  const timer = setInterval(() => {
    const byte = bytes.subarray(next, next + 1);
    next += 1;
    if (next < bytes.length) {
      socket.write(byte);
      return;
    }
    clearInterval(timer);
    socket.write(byte, (error) => {
      if (!error) exchange.okWritten();
    });
    socket.destroySoon();
  }, intervalMs);
  socket.once('close', () => {
    clearInterval(timer);
  });
}
