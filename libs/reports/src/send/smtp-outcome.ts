import { messageOf } from '@app/platform';
import type { Recipients } from '../recipients.js';
import type { Refusal } from './sending.queries.js';
import { failureOfCall } from './send-failure.js';
import type { SendOutcome } from './send.service.js';

/** nodemailer's result for a message that at least one recipient's server accepted. */
export interface SmtpSuccess {
  accepted: (string | { address: string })[];
  rejectedErrors?: unknown[];
  response: string;
}

/** The parts of nodemailer's errors that matter here. */
interface SmtpError {
  /** Its own word for what failed: EENVELOPE, EMESSAGE, EAUTH, ECONNECTION … */
  code?: string;
  /** The SMTP status; absent when the server gave no answer. */
  responseCode?: number;
  response?: string;
  recipient?: string;
  /** Why we ended it ourselves. */
  cause?: unknown;
  rejectedErrors?: SmtpError[];
}

/** "Authenticate first" and its like are never final: somebody will correct the settings. */
const OUR_LOGIN = new Set([530, 534, 535, 538]);

/** @param recipients whom the attempt was for */
export function successOf(info: SmtpSuccess, recipients: Recipients): SendOutcome {
  const errors = (info.rejectedErrors ?? []) as SmtpError[];
  const { refused, deferred } = sortRecipients(errors, recipients);
  const accepted = info.accepted.map((one) =>
    recipients.spelled(typeof one === 'string' ? one : one.address),
  );
  return { kind: 'sent', accepted, refused, deferred, answer: info.response };
}

/**
 * What a failed attempt means. Final is only what the server says about this message or its
 * recipients with a permanent status; everything else may succeed later.
 *
 * @param recipients whom this attempt was for
 * @param handedOver whether the content had begun to leave
 */
export function failureOf(
  error: unknown,
  recipients: Recipients,
  handedOver: boolean,
): SendOutcome {
  const failure = (typeof error === 'object' && error !== null ? error : {}) as SmtpError;
  const { code, responseCode, rejectedErrors } = failure;
  const answer = failure.response ?? null;
  const cause = code === 'EABORT' ? (failure.cause ?? error) : error;
  const message = messageOf(cause);
  const errorCode =
    responseCode === undefined ? failureOfCall(cause).errorCode : (`smtp_${responseCode}` as const);
  const reason = { errorCode, error: message };
  const { refused, deferred } = sortRecipients(rejectedErrors ?? [], recipients);
  if (rejectedErrors && refused.length > 0 && deferred.length === 0) {
    return { kind: 'refused', refused, answer, ...reason };
  }
  if (!rejectedErrors && (code === 'EENVELOPE' || code === 'EMESSAGE') && isFinal(failure)) {
    const words = answer ?? message;
    return {
      kind: 'refused',
      refused: recipients.addresses.map((recipient) => ({ recipient, answer: words })),
      answer,
      ...reason,
    };
  }
  const uncertain = handedOver && responseCode === undefined;
  return { kind: 'retry', refused, answer, ...reason, uncertain };
}

function sortRecipients(
  errors: readonly SmtpError[],
  recipients: Recipients,
): { refused: Refusal[]; deferred: string[] } {
  const refused: Refusal[] = [];
  const deferred: string[] = [];
  for (const error of errors) {
    const { response = '' } = error;
    const recipient = recipients.spelled(error.recipient ?? '');
    if (isFinal(error)) refused.push({ recipient, answer: response });
    else deferred.push(recipient);
  }
  return { refused, deferred };
}

/** 503 is about the order of commands, not about the message. */
function isFinal({ responseCode }: SmtpError): boolean {
  if (responseCode === undefined || OUR_LOGIN.has(responseCode)) return false;
  return responseCode >= 500 && responseCode < 600 && responseCode !== 503;
}
