import { type MessageDetail, type MessageRecord, NEXT_STEP_WORDS } from '@app/mailings';
import type { MessageDetailDto, MessageDto } from './message.dto.js';

/** Field by field: rows carry keys of the list and of the message's situation as well. */
export function toMessage(message: MessageRecord): MessageDto {
  return {
    id: message.id,
    mailingId: message.mailingId,
    clientId: message.clientId,
    phone: message.phone,
    status: message.status,
    createdAt: message.createdAt,
    attempts: message.attempts,
    tries: message.tries,
    sentAt: message.sentAt,
    latencyMs: message.latencyMs,
    textVersion: message.textVersion,
    unconfirmed: message.unconfirmed,
    repeated: message.repeated,
    lastErrorCode: message.lastErrorCode,
    lastError: message.lastError,
    nextAttemptAt: message.nextAttemptAt,
  };
}

export function toMessageDetail(message: MessageDetail): MessageDetailDto {
  const { deliveryAttempts, next } = message;
  const { what, at } = next;
  return {
    ...toMessage(message),
    deliveryAttempts,
    next: { what, words: NEXT_STEP_WORDS[what], at },
  };
}
