import type { MessageSituation } from './message.queries.js';

/** What can happen next to a message, and the same in words for people. */
export const NEXT_STEP_WORDS = {
  final: 'Nothing, this is final',
  operator_decision: 'Nothing, unless an operator sends it again',
  provider_answer: 'The provider is being called',
  cancellation: 'It will be cancelled with the mailing',
  expiry: 'It will expire',
  mailing_start: 'The mailing starts',
  mailing_resume: 'It waits for the mailing to be resumed',
  breaker_close_by_hand: 'It waits for the breaker to be closed by hand',
  breaker_probe: 'The channel is tried again',
  provider_pause_end: 'The pause that the provider asked for ends',
  window_start: 'The allowed hours begin',
  next_attempt: 'The next attempt is due',
  send: 'It waits for its turn to be sent',
} as const;
export type NextStepKind = keyof typeof NEXT_STEP_WORDS;
export const NEXT_STEPS = Object.keys(NEXT_STEP_WORDS) as NextStepKind[];

export interface NextStep {
  what: NextStepKind;
  /** When, as far as it is known. */
  at: Date | null;
}

/** The condition that a message waits for: of several, the one that is met last. */
export function nextStepOf(message: MessageSituation): NextStep {
  switch (message.status) {
    case 'sent':
    case 'failed':
    case 'expired':
    case 'cancelled':
      return { what: 'final', at: null };
    case 'unknown':
      return { what: 'operator_decision', at: null };
    case 'sending':
      return { what: 'provider_answer', at: message.leaseUntil };
    case 'pending':
      return nextOfPending(message);
  }
}

function nextOfPending(message: MessageSituation): NextStep {
  const { endAt, mailingStatus, now } = message;
  if (mailingStatus === 'cancelled') return { what: 'cancellation', at: null };
  if (mailingStatus === 'completed' || endAt <= now) return { what: 'expiry', at: endAt };
  if (mailingStatus === 'paused') {
    return { what: 'mailing_resume', at: null };
  }
  if (message.laneState === 'open' && !message.laneProbeAt) {
    return { what: 'breaker_close_by_hand', at: null };
  }
  const gates = gatesOf(message);
  const last = gates.reduce<NextStep | null>(
    (latest, gate) => (latest?.at && gate.at && latest.at >= gate.at ? latest : gate),
    null,
  );
  if (message.unreachable || (last?.at && last.at >= endAt)) return { what: 'expiry', at: endAt };
  return last ?? { what: 'send', at: null };
}

/** All moments before which the message cannot be sent. */
function gatesOf(message: MessageSituation): NextStep[] {
  const { now } = message;
  const gates: NextStep[] = [
    { what: 'mailing_start', at: message.startAt },
    { what: 'window_start', at: message.opensAt },
    { what: 'next_attempt', at: message.nextAttemptAt },
    { what: 'provider_pause_end', at: message.lanePausedUntil },
  ];
  const waiting = gates.filter(({ at }) => at !== null && at > now);
  if (message.laneState === 'closed') return waiting;
  // A probe that is due counts as now: it still comes before this message.
  const probeAt = message.laneProbeAt && message.laneProbeAt > now ? message.laneProbeAt : now;
  return [...waiting, { what: 'breaker_probe', at: probeAt }];
}
