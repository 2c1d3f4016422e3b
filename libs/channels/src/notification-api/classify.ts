import type { Outcome, Reason } from '../channel.js';
import type { Answer } from '../http/call.js';
import type { CallError } from '../http/call-error.js';
import { detailOf, excerptOf, type Secrets } from '../provider-words.js';
import { parseRetryAfter } from '../retry-after.js';

/**
 * What a complete answer means. Only HTTP 200 with a JSON object whose `code` is the number 0
 * confirms a message; the contract says nothing about any other answer.
 */
export function classifyAnswer(answer: Answer, secrets: Secrets, now: Date): Outcome {
  if (answer.status === 200) return classifySuccess(answer, secrets);

  const { status } = answer;
  const text = textOf(answer);
  const words = saidIn(text, isTooDeep(text) ? undefined : parse(text));
  const reason = describe(answer, `http_${status}`, `HTTP ${status}: ${words}`, secrets);
  switch (status) {
    case 400:
    case 404:
    case 413:
    case 422:
      return { kind: 'rejected', ...reason };
    case 401:
    case 403:
      return { kind: 'unavailable', scope: 'auth', ...reason };
    case 429:
      return { kind: 'unavailable', scope: 'rate', ...waitOf(answer, now), ...reason };
    // A proxy or the provider gave up waiting for a server that may have accepted the message.
    case 408:
    case 504:
      return { kind: 'unknown', ...reason };
    default:
      // A success that is not in the contract (201, 202, 204) confirms nothing and denies nothing.
      if (status < 300) return { kind: 'unknown', ...reason };
      // 5xx and 425 are faults of the provider. A redirect, 405, 409, 410, 415 … mean a wrong
      // address or a changed interface: not the message's fault, so never its end. As a retry it
      // counts as bad, and the breaker stops the lane until a person has repaired it.
      return { kind: 'retry', ...waitOf(answer, now), ...reason };
  }
}

/** The outcome of a call without a complete answer. */
export function classifyFailure(error: CallError, secrets: Secrets): Outcome {
  const reason: Reason = { code: error.code, detail: detailOf(error.message, secrets) };
  if (error.written) return { kind: 'unknown', ...reason };
  if (error.code === 'deadline' || error.code === 'closed') return { kind: 'skipped', ...reason };
  if (error.code === 'local') return { kind: 'skipped', ...reason, isLocal: true };
  return { kind: 'unavailable', scope: 'down', ...reason };
}

function classifySuccess(answer: Answer, secrets: Secrets): Outcome {
  const text = textOf(answer);
  if (isTooDeep(text)) {
    // Parsing it, to see whether its code is 0, would take too long.
    return { kind: 'unknown', ...describe(answer, 'too_deep', 'JSON of too many levels', secrets) };
  }
  const json = parse(text);
  if (isObject(json)) {
    if (json.code === 0) return { kind: 'delivered', httpStatus: 200 };
    const code = json.code === undefined ? 'missing' : shallowJson(json.code);
    const detail = `code ${code}: ${saidIn(text, json)}`;
    return { kind: 'retry', ...describe(answer, 'bad_code', detail, secrets) };
  }
  if (json !== undefined) {
    const detail = `not a JSON object: ${text}`;
    return { kind: 'retry', ...describe(answer, 'not_object', detail, secrets) };
  }
  if (isCutOff(answer, text)) {
    const detail = `the answer is cut off: ${text}`;
    return { kind: 'unknown', ...describe(answer, 'truncated', detail, secrets) };
  }
  const detail = text === '' ? 'an empty answer' : `not JSON: ${saidIn(text, undefined)}`;
  return { kind: 'retry', ...describe(answer, 'not_json', detail, secrets) };
}

/**
 * JSON that begins and does not parse may be the confirmation that we are waiting for, cut short;
 * and an answer that did not state its length may have been cut anywhere, even before it began.
 */
function isCutOff(answer: Answer, text: string): boolean {
  return !answer.framed || /^\s*[{[]/.test(text);
}

function describe(answer: Answer, code: string, detail: string, secrets: Secrets): Reason {
  const excerpt = excerptOf(answer.body, secrets);
  return {
    code,
    detail: detailOf(detail, secrets),
    httpStatus: answer.status,
    ...(excerpt === undefined ? {} : { excerpt }),
  };
}

function waitOf({ headers }: Answer, now: Date): { retryAfterMs?: number } {
  const value = single(headers['retry-after']);
  if (value === undefined) return {};
  const retryAfterMs = parseRetryAfter(value, single(headers.date), now);
  return retryAfterMs === undefined ? {} : { retryAfterMs };
}

function single(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}

function textOf(answer: Answer): string {
  const text = answer.body.toString('utf8');
  return text.startsWith('\uFEFF') ? text.slice(1) : text;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** V8 takes more than linear time for brackets in brackets: 7 ms for 64 KB of them. */
const MOST_LEVELS = 8_192;

/** Counts brackets that open; those in strings too, which only lowers the bound. */
function isTooDeep(text: string): boolean {
  let open = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if ((code === 0x5b || code === 0x7b) && ++open > MOST_LEVELS) return true;
  }
  return false;
}

/** At most two levels, for the provider chooses the depth: what is below is `"…"`. */
function shallowJson(value: unknown): string {
  let isRoot = true;
  return JSON.stringify(value, (_, part: unknown) => {
    if (!isRoot && typeof part === 'object' && part !== null) return '…';
    isRoot = false;
    return part;
  });
}

/** The provider's own explanation: the usual fields of a JSON answer, else the text without tags. */
function saidIn(text: string, json: unknown): string {
  if (isObject(json)) {
    for (const field of ['message', 'detail', 'error', 'description', 'title', 'reason']) {
      const value = json[field];
      if (typeof value === 'string' && value !== '') return value;
      if (isObject(value) && typeof value.message === 'string') return value.message;
    }
  }
  return text.slice(0, 8_192).replace(/<[^<>]*>/g, ' ');
}
