import { messageOf } from '@app/platform';

/** Why a report is not sent. */
export type ReportErrorCode =
  // The content could not be put together; it is tried again.
  | 'not_written'
  | 'not_laid_out'
  // The settings name no recipient, or no transport.
  | 'no_recipients'
  | 'no_transport'
  | 'no_address'
  // The server of some recipients wants to be asked again later.
  | 'deferred'
  // Our process ended during the attempt.
  | 'interrupted'
  | 'timeout'
  | 'refused'
  | 'dns'
  | 'tls'
  | 'sign_in_failed'
  | 'connection_failed'
  // Anything else; the words describe it.
  | 'failed'
  // The receiver answered.
  | `${'smtp' | 'http'}_${number}`;

export interface SendFailure {
  errorCode: ReportErrorCode;
  /** For people. */
  error: string;
}

/** By the codes of Node, undici and nodemailer. */
const CODES: Record<string, ReportErrorCode> = {
  ECONNREFUSED: 'refused',
  ENOTFOUND: 'dns',
  EAI_AGAIN: 'dns',
  EDNS: 'dns',
  ETIMEDOUT: 'timeout',
  ETIMEOUT: 'timeout',
  ECONNABORTED: 'timeout',
  ERR_CANCELED: 'timeout',
  ETLS: 'tls',
  EAUTH: 'sign_in_failed',
  ECONNRESET: 'connection_failed',
  ECONNECTION: 'connection_failed',
  ESOCKET: 'connection_failed',
  EPIPE: 'connection_failed',
};

/** The failure of a call that ended without an answer. */
export function failureOfCall(error: unknown): SendFailure {
  return { errorCode: codeOf(error), error: messageOf(error) };
}

function codeOf(error: unknown): ReportErrorCode {
  const { name, code, cause } = (error ?? {}) as { name?: string; code?: string; cause?: unknown };
  if (name === 'TimeoutError') return 'timeout';
  if (code !== undefined && Object.hasOwn(CODES, code)) return CODES[code] ?? 'failed';
  return cause === undefined || cause === error ? 'failed' : codeOf(cause);
}
