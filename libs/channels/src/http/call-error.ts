import { closeSync, openSync } from 'node:fs';

import { isLocalTrouble } from '@app/platform';

/** Why a call ended without a complete answer; stable, for grouping. */
export type CallFailure =
  // before anything was written
  | 'deadline'
  | 'closed'
  | 'local'
  | 'refused'
  | 'dns'
  | 'connect_timeout'
  | 'tls'
  | 'connect_failed'
  // after it
  | 'timeout'
  | 'reset'
  | 'truncated'
  | 'too_large'
  | 'garbled'
  | 'protocol';

/** A call that ended without a complete answer. */
export class CallError extends Error {
  constructor(
    readonly code: CallFailure,
    /** Whether any byte of the request may have left: if not, the provider cannot know of it. */
    readonly written: boolean,
    message: string,
  ) {
    super(message);
    this.name = 'CallError';
  }
}

/** Before the request was written: only the connection to the provider can be at fault. */
export function beforeWriting(error: Error): CallError {
  const failure = isLocalTrouble(error) ? 'local' : connectFailure(codeOf(error));
  // The resolver needs a descriptor too, and says "try again" when there is none.
  const code = failure === 'dns' && !canOpenDescriptor() ? 'local' : failure;
  return new CallError(code, false, describe(error));
}

function canOpenDescriptor(): boolean {
  try {
    closeSync(openSync('/dev/null', 'r'));
    return true;
  } catch (error) {
    return !isLocalTrouble(error);
  }
}

/**
 * After the request may have been written. undici looks at an idle socket again before it
 * reuses it, so a connection that the provider closed earlier does not end here; what remains is
 * a close that came while our request was sent, which looks the same as one that answered it.
 */
export function afterWriting(error: Error, answerBegan: boolean): CallError {
  return new CallError(answerFailure(error, answerBegan), true, describe(error));
}

function connectFailure(code: string): CallFailure {
  switch (code) {
    case 'ECONNREFUSED':
      return 'refused';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EAI_FAIL':
    case 'EAI_NODATA':
    case 'EAI_NONAME':
      return 'dns';
    case 'UND_ERR_CONNECT_TIMEOUT':
    case 'ETIMEDOUT':
      return 'connect_timeout';
    case 'UND_ERR_CLOSED':
    case 'UND_ERR_DESTROYED':
      return 'closed';
    default:
      return /CERT|TLS|SSL|^EPROTO$|^UNABLE_TO_|SIGNATURE/.test(code) ? 'tls' : 'connect_failed';
  }
}

function answerFailure(error: Error, answerBegan: boolean): CallFailure {
  switch (codeOf(error)) {
    case 'UND_ERR_RES_EXCEEDED_MAX_SIZE':
    case 'UND_ERR_HEADERS_OVERFLOW':
      return 'too_large';
    case 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH':
      return 'truncated';
    default:
      // undici leaves the code of its parser's errors empty.
      if (error.name === 'HTTPParserError' && !error.message.includes('EOF')) return 'protocol';
      return answerBegan ? 'truncated' : 'reset';
  }
}

/** The `code` that Node and undici put on their errors; empty if there is none. */
export function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return '';
  return typeof error.code === 'string' ? error.code : '';
}

/** With addresses of both families tried, Node reports an aggregate whose own message is empty. */
function describe(error: Error): string {
  if (error.message) return error.message;
  const causes: unknown[] = error instanceof AggregateError ? error.errors : [];
  const messages = causes.filter((cause) => cause instanceof Error).map((cause) => cause.message);
  return messages.join('; ') || codeOf(error) || error.name;
}
