import { DomainError } from '@app/platform';
import { changesSchedule, editMailing, type MailingChanges } from './edit.js';
import type { MailingRecord } from './mailing.queries.js';

const NOW = new Date('2030-01-01T12:00:00Z');
const at = (hours: number) => new Date(NOW.getTime() + hours * 3_600_000);

const mailing = (fields: Partial<MailingRecord> = {}): MailingRecord => ({
  id: 1,
  name: 'sale',
  channel: 'notification',
  text: 'hello',
  textVersion: 1,
  filter: { operatorCodes: ['912', '916'], tags: ['vip'], phones: [] },
  startAt: at(-1),
  endAt: at(5),
  window: { from: '09:00', to: '21:00', timezone: 'client' },
  ratePerSecond: null,
  maxTries: null,
  reportTo: [],
  report: true,
  status: 'running',
  endedAt: null,
  finishedAt: null,
  createdAt: at(-2),
  updatedAt: at(-2),
  ...fields,
});

function refusal(current: MailingRecord, changes: MailingChanges) {
  try {
    editMailing(current, changes, NOW);
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    return { code: error.code, fields: error.errors.map(({ path }) => path) };
  }
  return null;
}

describe('editing a mailing', () => {
  it('changes anything before the start', () => {
    const scheduled = mailing({ status: 'scheduled', startAt: at(1) });
    const { draft, changed } = editMailing(
      scheduled,
      { filter: { operatorCodes: [], tags: [], phones: [] }, startAt: at(2), maxTries: 3 },
      NOW,
    );
    expect([...changed].sort()).toEqual(['filter', 'maxTries', 'startAt']);
    expect(draft).toMatchObject({ name: 'sale', startAt: at(2), maxTries: 3 });
  });

  it.each(['running', 'paused'] as const)(
    'changes text, end, window and rate while %s',
    (status) => {
      const { changed } = editMailing(
        mailing({ status }),
        { text: 'bye', endAt: at(6), window: null, ratePerSecond: 5, name: 'other' },
        NOW,
      );
      expect(changed.size).toBe(5);
    },
  );

  it('refuses what can no longer change, and names every such field', () => {
    expect(
      refusal(mailing(), {
        text: 'bye',
        filter: { operatorCodes: [], tags: [], phones: [] },
        startAt: at(1),
        channel: 'telegram',
        maxTries: 1,
      }),
    ).toEqual({ code: 'conflict', fields: ['channel', 'filter', 'startAt', 'maxTries'] });
  });

  it.each(['completed', 'cancelled'] as const)('lets only the name change once %s', (status) => {
    const over = mailing({ status });
    expect(refusal(over, { name: 'other' })).toBeNull();
    expect(refusal(over, { text: 'bye' })).toEqual({ code: 'conflict', fields: ['text'] });
    expect(refusal(over, { endAt: at(9) })).toEqual({ code: 'conflict', fields: ['endAt'] });
  });

  it('takes a mailing past its end for over, whatever is written down', () => {
    const ending = mailing({ endAt: NOW });
    expect(refusal(ending, { endAt: at(1) })).toEqual({ code: 'conflict', fields: ['endAt'] });
  });

  it('does not count what is already so as a change', () => {
    const same = {
      name: 'sale',
      startAt: at(-1),
      endAt: at(5),
      filter: { operatorCodes: ['916', '912', '912'], tags: ['vip'], phones: [] },
      window: { from: '09:00', to: '21:00', timezone: 'client' },
    };
    expect(editMailing(mailing(), same, NOW).changed.size).toBe(0);
    expect(
      refusal(mailing({ status: 'completed', startAt: at(-3), endAt: at(-1) }), { endAt: at(-1) }),
    ).toBeNull();
  });

  it('refuses an end in the past and an end before the start', () => {
    expect(refusal(mailing(), { endAt: NOW })).toEqual({
      code: 'invalid',
      fields: ['endAt'],
    });
    const scheduled = mailing({ status: 'scheduled', startAt: at(2), endAt: at(3) });
    expect(refusal(scheduled, { endAt: at(1) })).toEqual({ code: 'invalid', fields: ['endAt'] });
    expect(refusal(scheduled, { startAt: at(3) })).toEqual({ code: 'invalid', fields: ['endAt'] });
  });

  it('computes slots again only when a time has changed', () => {
    const edit = (changes: MailingChanges) => changesSchedule(editMailing(mailing(), changes, NOW));
    expect(edit({ text: 'bye', ratePerSecond: 3 })).toBe(false);
    expect(edit({ endAt: at(6) })).toBe(true);
    expect(edit({ window: { from: '09:00', to: '20:00', timezone: 'client' } })).toBe(true);
  });
});
