import type { MessageSituation } from './message.queries.js';
import { nextStepOf } from './next-step.js';

const NOW = new Date('2030-01-01T12:00:00Z');
const at = (minutes: number) => new Date(NOW.getTime() + minutes * 60_000);

const pending = (fields: Partial<MessageSituation> = {}): MessageSituation => ({
  id: 1,
  mailingId: 1,
  clientId: 1,
  phone: '79160000001',
  status: 'pending',
  createdAt: NOW,
  attempts: 0,
  tries: 0,
  sentAt: null,
  latencyMs: null,
  textVersion: null,
  unconfirmed: false,
  repeated: false,
  lastErrorCode: null,
  lastError: null,
  nextAttemptAt: null,
  mailingStatus: 'running',
  startAt: at(-10),
  endAt: at(60),
  opensAt: at(-10),
  closesAt: at(60),
  unreachable: false,
  laneState: 'closed',
  laneReason: null,
  laneProbeAt: null,
  lanePausedUntil: null,
  leaseUntil: null,
  now: NOW,
  ...fields,
});

describe('what happens next to a message', () => {
  it.each(['sent', 'failed', 'expired', 'cancelled'] as const)(
    'is nothing once it is %s',
    (status) => {
      expect(nextStepOf(pending({ status }))).toEqual({ what: 'final', at: null });
    },
  );

  it.each([
    ['it waits for its turn', {}, 'send', null],
    ['its retry was due', { nextAttemptAt: at(-1) }, 'send', null],
    ['its retry is to come', { nextAttemptAt: at(5) }, 'next_attempt', at(5)],
    ['its zone sleeps', { opensAt: at(20) }, 'window_start', at(20)],
    [
      'its retry comes while its zone sleeps',
      { nextAttemptAt: at(5), opensAt: at(20) },
      'window_start',
      at(20),
    ],
    [
      'the mailing has not begun',
      { mailingStatus: 'scheduled', startAt: at(3) },
      'mailing_start',
      at(3),
    ],
    ['the mailing is paused', { mailingStatus: 'paused' }, 'mailing_resume', null],
    ['the mailing was cancelled', { mailingStatus: 'cancelled' }, 'cancellation', null],
    ['the mailing is over', { endAt: at(-1) }, 'expiry', at(-1)],
    ['its retry comes after the end', { nextAttemptAt: at(61) }, 'expiry', at(60)],
    ['its zone never opens again', { unreachable: true, opensAt: null }, 'expiry', at(60)],
    ['the channel is held by hand', { laneState: 'open' }, 'breaker_close_by_hand', null],
    ['the channel has failed', { laneState: 'open', laneProbeAt: at(2) }, 'breaker_probe', at(2)],
    [
      'the channel is being probed',
      { laneState: 'half_open', laneProbeAt: at(-1) },
      'breaker_probe',
      NOW,
    ],
    ['the provider wants a pause', { lanePausedUntil: at(1) }, 'provider_pause_end', at(1)],
    ['an unknown one waits for a decision', { status: 'unknown' }, 'operator_decision', null],
    [
      'it is with the provider',
      { status: 'sending', leaseUntil: at(0.5) },
      'provider_answer',
      at(0.5),
    ],
  ] as const)('when %s', (_, fields, what, when) => {
    expect(nextStepOf(pending(fields))).toEqual({ what, at: when });
  });
});
