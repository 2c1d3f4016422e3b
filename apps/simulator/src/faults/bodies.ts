import { STATUS_CODES } from 'node:http';
import { gzipSync } from 'node:zlib';
import type { FaultRule } from './settings.js';

const MEGABYTE = 1_048_576;
const OPENING = '{"code":0,"message":"';
const CLOSING = '"}';
const HTML = '<!doctype html><html><body><h1>It works!</h1></body></html>';

/** An answer in one piece, in the place of the OK. */
export interface WholeAnswer {
  status: number;
  body: string;
  headers: Record<string, string>;
}

type StatusRule = Extract<FaultRule, { fault: 'status' }>;
type WholeRule =
  | StatusRule
  | Extract<
      FaultRule,
      { fault: 'wrong-code' | 'string-code' | 'array' | 'html' | 'empty' | 'truncated-json' }
    >;

export function wholeAnswer(rule: WholeRule): WholeAnswer {
  switch (rule.fault) {
    case 'status':
      return statusAnswer(rule);
    case 'wrong-code':
      return oddAnswer(JSON.stringify({ code: rule.code, message: 'OK' }));
    case 'string-code':
      return oddAnswer('{"code":"0","message":"OK"}');
    case 'array':
      return oddAnswer('[{"code":0,"message":"OK"}]');
    case 'html':
      return oddAnswer(HTML, 'text/html; charset=utf-8');
    case 'empty':
      return oddAnswer('');
    case 'truncated-json':
      return oddAnswer('{"code":0,"message":"O');
  }
}

function statusAnswer(rule: StatusRule): WholeAnswer {
  const { status, body = { code: status, message: STATUS_CODES[status] ?? 'Error' } } = rule;
  return {
    status,
    body: typeof body === 'string' ? body : JSON.stringify(body),
    headers: {
      ...(rule.retryAfter !== undefined && { 'Retry-After': retryAfterText(rule.retryAfter) }),
      ...rule.headers,
    },
  };
}

function retryAfterText(value: NonNullable<StatusRule['retryAfter']>): string {
  if (typeof value !== 'object') return String(value);
  return new Date(Date.now() + value.dateInSeconds * 1_000).toUTCString();
}

/** A 200 that is not the OK of the specification. */
function oddAnswer(body: string, contentType = 'application/json'): WholeAnswer {
  return { status: 200, body, headers: { 'Content-Type': contentType } };
}

/** The pieces of an OK that is valid but `bytes` long; a client that reads all of it runs out of memory. */
export function* hugeBody(bytes: number): Generator<Buffer> {
  const filler = Buffer.alloc(MEGABYTE, 'a');
  let left = bytes - OPENING.length - CLOSING.length;
  yield Buffer.from(OPENING);
  for (; left > 0; left -= filler.length) yield filler.subarray(0, Math.min(left, filler.length));
  yield Buffer.from(CLOSING);
}

/** The same, compressed about a thousandfold: gzip members may follow each other. */
export function gzipBomb(bytes: number): Buffer {
  const whole = gzipSync(Buffer.alloc(MEGABYTE, 'a'));
  const left = bytes - OPENING.length - CLOSING.length;
  return Buffer.concat([
    gzipSync(OPENING),
    ...Array.from({ length: Math.floor(left / MEGABYTE) }, () => whole),
    gzipSync(Buffer.alloc(left % MEGABYTE, 'a')),
    gzipSync(CLOSING),
  ]);
}
