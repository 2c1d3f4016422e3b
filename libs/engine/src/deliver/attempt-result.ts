import type { Outcome } from '@app/channels';
import { RATE_LIMITED_DELAY_MS } from '@app/lanes';
import {
  type AttemptResult,
  type ClaimedMessage,
  GAVE_UP_DELAY_MS,
  UNAVAILABLE_DELAY_MS,
} from '@app/messages';

/** What is recorded of an outcome. Pure: the statement decides the rest by the row's state. */
export function attemptResult(
  message: ClaimedMessage,
  outcome: Outcome,
  durationMs: number,
): AttemptResult {
  const base = {
    id: message.id,
    attempt: message.attempt,
    durationMs: Math.round(durationMs),
    httpStatus: outcome.httpStatus ?? null,
  };
  if (outcome.kind === 'delivered') {
    return {
      ...base,
      outcome: 'delivered',
      countsAsTry: true,
      delayMs: null,
      code: null,
      detail: null,
      excerpt: null,
    };
  }
  const reason = {
    code: outcome.code,
    detail: outcome.detail,
    excerpt: outcome.excerpt ?? null,
  };
  switch (outcome.kind) {
    case 'rejected':
    case 'unknown':
      return { ...base, ...reason, outcome: outcome.kind, countsAsTry: true, delayMs: null };
    case 'retry':
      return {
        ...base,
        ...reason,
        outcome: 'retry',
        countsAsTry: true,
        delayMs: outcome.retryAfterMs ?? null,
      };
    case 'unavailable':
      return {
        ...base,
        ...reason,
        outcome: 'unavailable',
        countsAsTry: false,
        delayMs:
          outcome.retryAfterMs ??
          (outcome.scope === 'rate' ? RATE_LIMITED_DELAY_MS : UNAVAILABLE_DELAY_MS),
      };
    case 'skipped':
      return {
        ...base,
        ...reason,
        outcome: 'unavailable',
        countsAsTry: false,
        delayMs: outcome.retryAfterMs ?? GAVE_UP_DELAY_MS,
        durationMs: null,
      };
  }
}
