import type { Outcome } from '@app/channels';

/** What an outcome means for the provider as a whole. */
export type Verdict = 'good' | 'bad' | 'fatal' | 'neutral';

export function verdictOf(outcome: Outcome): Verdict {
  switch (outcome.kind) {
    case 'delivered':
    case 'rejected':
      return 'good';
    case 'retry':
    case 'unknown':
      return 'bad';
    case 'unavailable':
      if (outcome.scope === 'auth') return 'fatal';
      return outcome.scope === 'rate' ? 'neutral' : 'bad';
    case 'skipped':
      return 'neutral';
  }
}
