import type { MsgId } from '../received/log.js';

const INT64 = /^-?\d{1,19}$/;
const INT64_MAX = 2n ** 63n - 1n;

export interface Payload {
  phone: number;
  text: string;
}

/** The id in the path; undefined when it is no int64. */
export function parseMsgId(text: string): MsgId | undefined {
  if (!INT64.test(text)) return undefined;
  const number = Number(text);
  if (Number.isSafeInteger(number)) return number;
  const exact = BigInt(text);
  return exact <= INT64_MAX && exact >= -INT64_MAX - 1n ? exact : undefined;
}

/** Checks a body against the specification. @returns the payload, or what is wrong in words. */
export function parsePayload(id: MsgId, body: Buffer): Payload | string {
  const json = body.toString();
  const message = parseObject(json);
  if (typeof message === 'string') return message;
  if (!sameId(id, message.id, json)) return 'id must be an int64 and equal to the id in the path';
  const { phone, text } = message;
  if (typeof phone !== 'number' || !Number.isSafeInteger(phone)) return 'phone must be an integer';
  if (typeof text !== 'string') return 'text must be a string';
  return { phone, text };
}

function parseObject(json: string): Record<string, unknown> | string {
  try {
    const value: unknown = JSON.parse(json);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return value as Record<string, unknown>;
    }
    return 'the body must be a JSON object';
  } catch {
    return 'the body must be JSON';
  }
}

function sameId(id: MsgId, value: unknown, json: string): boolean {
  if (typeof id === 'number') return value === id;
  // JSON.parse has rounded a number of this size: only its digits in the source tell.
  return typeof value === 'number' && topLevelId(json) === id.toString();
}

function topLevelId(json: string): string | undefined {
  let source: string | undefined;
  JSON.parse(json, function (this: unknown, key, value: unknown, context?: { source?: string }) {
    // Nested objects are revived before the outermost one, so the last id seen is its own.
    if (key === 'id') source = context?.source;
    return value;
  });
  return source;
}
