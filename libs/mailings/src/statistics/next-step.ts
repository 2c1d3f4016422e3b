import type { MessageSituation } from './message.queries.js';

/** What can happen next to a message, in the words that the API answers with. */
export const NEXT_STEPS = [
  'nothing, this is final',
  'nothing, unless an operator sends it again',
  'the provider is being called',
  'will be cancelled with the mailing',
  'will expire',
  'the mailing starts',
  'waiting for the mailing to be resumed',
  'waiting for the channel to be opened by hand',
  'the channel is tried again',
  'the provider ends its pause',
  'the allowed hours begin',
  'the next attempt',
  'waiting to be sent',
] as const;
export type NextStepKind = (typeof NEXT_STEPS)[number];

export interface NextStep {
  what: NextStepKind;
  /** When, as far as it is known. */
  at: Date | null;
}

/** Names the one thing that a message waits for: of several, the last to come true. */
export function nextStepOf(message: MessageSituation): NextStep {
  switch (message.status) {
    case 'sent':
    case 'failed':
    case 'expired':
    case 'cancelled':
      return { what: 'nothing, this is final', at: null };
    case 'unknown':
      return { what: 'nothing, unless an operator sends it again', at: null };
    case 'sending':
      return { what: 'the provider is being called', at: message.leaseUntil };
    case 'pending':
      return nextOfPending(message);
  }
}

function nextOfPending(message: MessageSituation): NextStep {
  const { endAt, mailingStatus, now } = message;
  if (mailingStatus === 'cancelled')
    return { what: 'will be cancelled with the mailing', at: null };
  if (mailingStatus === 'completed' || endAt <= now) return { what: 'will expire', at: endAt };
  if (mailingStatus === 'paused') {
    return { what: 'waiting for the mailing to be resumed', at: null };
  }
  if (message.laneState === 'open' && !message.laneProbeAt) {
    return { what: 'waiting for the channel to be opened by hand', at: null };
  }
  const gates = gatesOf(message);
  const last = gates.reduce<NextStep | null>(
    (latest, gate) => (latest?.at && gate.at && latest.at >= gate.at ? latest : gate),
    null,
  );
  if (message.unreachable || (last?.at && last.at >= endAt))
    return { what: 'will expire', at: endAt };
  return last ?? { what: 'waiting to be sent', at: null };
}

/** Every moment before which the message can not leave. */
function gatesOf(message: MessageSituation): NextStep[] {
  const { now } = message;
  const gates: NextStep[] = [
    { what: 'the mailing starts', at: message.startAt },
    { what: 'the allowed hours begin', at: message.opensAt },
    { what: 'the next attempt', at: message.nextAttemptAt },
    { what: 'the provider ends its pause', at: message.lanePausedUntil },
  ];
  const waiting = gates.filter(({ at }) => at !== null && at > now);
  if (message.laneState === 'closed') return waiting;
  // A probe that is due counts as now: it still comes before this message.
  const probeAt = message.laneProbeAt && message.laneProbeAt > now ? message.laneProbeAt : now;
  return [...waiting, { what: 'the channel is tried again', at: probeAt }];
}
