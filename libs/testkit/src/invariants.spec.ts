import type { Evidence, FinalAttempt, FinalMailing, FinalMessage } from './evidence.js';
import { checkInvariants } from './invariants.js';

const END = Date.UTC(2030, 0, 1, 12);
const AT = END - 60_000;

const COUNTS = {
  ...{ pending: 0, sending: 0, sent: 2, failed: 0 },
  ...{ expired: 0, cancelled: 0, unknown: 0 },
};

function mailing(changes: Partial<FinalMailing> = {}): FinalMailing {
  return {
    id: 1,
    name: 'Sale',
    text: 'Hello',
    status: 'completed',
    endAt: END,
    window: null,
    finished: true,
    counters: { ...COUNTS, total: 2, repeated: 0 },
    activity: COUNTS,
    ...changes,
  };
}

function message(id: number, changes: Partial<FinalMessage> = {}): FinalMessage {
  return {
    id,
    mailingId: 1,
    clientId: id + 100,
    zone: 'Europe/Moscow',
    status: 'sent',
    attempts: 1,
    repeated: false,
    ...changes,
  };
}

const received = (
  id: number,
  changes: { accepted?: number; oks?: number; times?: number[] } = {},
) => ({
  id,
  times: [AT],
  accepted: 1,
  oks: 1,
  ...changes,
});

/** Two clients, two messages, all well; each test breaks one thing. */
function evidence(
  changes: Partial<Omit<Evidence, 'database'>> & { database?: object } = {},
): Evidence {
  const { database, ...rest } = changes;
  return {
    acknowledged: [],
    audiences: new Map([[1, { must: [101, 102] }]]),
    received: [received(1), received(2)],
    duplicates: { allowed: 0, answersMayGetLost: false },
    usage: [],
    logs: ['{"level":"info","msg":"started"}'],
    secrets: { tokens: ['eyJ.secret.x'], phones: new Set(['79161234567']) },
    resumptions: [],
    ...rest,
    database: {
      mailings: [mailing()],
      messages: [message(1), message(2)],
      attempts: [],
      clients: new Set([101, 102]),
      disagreements: [],
      disagreeingBooks: [],
      ...database,
    },
  };
}

const unknown = (messageId: number, attempt: number): FinalAttempt => ({
  messageId,
  attempt,
  outcome: 'unknown',
});

const counted = (changes: object) => {
  const counters = { ...COUNTS, total: 2, repeated: 0, ...changes };
  return mailing({ counters, activity: counters });
};

describe('the invariant checker', () => {
  const red = (changes: Parameters<typeof evidence>[0]) =>
    [...new Set(checkInvariants(evidence(changes)).map(({ invariant }) => invariant))].join();

  it('is content when everything is as it should be', () => {
    expect(checkInvariants(evidence())).toEqual([]);
  });

  describe('I1, one terminal row for each client of the audience', () => {
    it('misses a client without a row', () => {
      const audiences = new Map([[1, { must: [101, 102, 103] }]]);
      expect(red({ audiences })).toBe('I1');
    });

    it('sees a second row for a client', () => {
      const database = {
        messages: [message(1), message(2), message(3, { clientId: 102 })],
        mailings: [counted({ total: 3, sent: 3 })],
      };
      expect(red({ database, received: [1, 2, 3].map((id) => received(id)) })).toBe('I1');
    });

    it('sees a row for somebody outside of the audience, unless he came meanwhile', () => {
      expect(red({ audiences: new Map([[1, { must: [101] }]]) })).toBe('I1');
      expect(red({ audiences: new Map([[1, { must: [101], may: [102] }]]) })).toBe('');
    });

    it('sees a row that did not come to an end', () => {
      const database = {
        messages: [message(1), message(2, { status: 'pending' })],
        mailings: [counted({ sent: 1, pending: 1 })],
      };
      expect(red({ database, received: [received(1)] })).toBe('I1');
    });

    it('sees a mailing that did not come to an end', () => {
      expect(red({ database: { mailings: [mailing({ finished: false })] } })).toBe('I1');
    });
  });

  it('I2: finds a sent message that was never confirmed', () => {
    expect(red({ received: [received(1), received(2, { oks: 0 })] })).toBe('I2');
    expect(red({ received: [received(1)] })).toBe('I2');
  });

  describe('I3, a whole OK makes a message sent', () => {
    const failed = (status: 'failed' | 'unknown', attempts: FinalAttempt[] = []) => ({
      messages: [message(1), message(2, { status })],
      mailings: [counted({ sent: 1, [status]: 1 })],
      attempts,
    });

    it('sees a confirmed message that ended otherwise', () => {
      expect(red({ database: failed('failed') })).toBe('I3');
    });

    it('excuses a marked unknown where the answer may have been lost, and only there', () => {
      const database = failed('unknown', [unknown(2, 1)]);
      expect(red({ database })).toBe('I3');
      const lost = { allowed: 0, answersMayGetLost: true };
      expect(red({ database, duplicates: lost })).toBe('');
      expect(red({ database: failed('unknown'), duplicates: lost })).toBe('I3');
    });
  });

  describe('I4, duplicates are marked and bounded', () => {
    const twice = [received(1), received(2, { accepted: 2, oks: 2 })];
    const marked = {
      messages: [message(1), message(2, { attempts: 2, repeated: true })],
      attempts: [unknown(2, 1)],
      mailings: [counted({ repeated: 1 })],
    };

    it('sees a duplicate without an unknown attempt', () => {
      const duplicates = { allowed: 1, answersMayGetLost: true };
      expect(red({ received: twice, duplicates })).toBe('I4');
      expect(red({ received: twice, duplicates, database: marked })).toBe('');
    });

    it('counts a message that was taken although its answer got lost', () => {
      const taken = [received(1), received(2, { accepted: 2, oks: 1 })];
      expect(red({ received: taken, duplicates: { allowed: 1, answersMayGetLost: true } })).toBe(
        'I4',
      );
    });

    it('wants the mark of a repeated message', () => {
      const duplicates = { allowed: 1, answersMayGetLost: true };
      const messages = [message(1), message(2, { attempts: 2 })];
      const database = { ...marked, messages, mailings: [counted({})] };
      expect(red({ received: twice, duplicates, database })).toBe('I4');
    });

    it('wants an unknown attempt for each repetition', () => {
      const thrice = [received(1), received(2, { accepted: 3, oks: 3 })];
      const duplicates = { allowed: 1, answersMayGetLost: true };
      expect(red({ received: thrice, duplicates, database: marked })).toBe('I4');
    });

    it('sees more duplicates than the faults explain', () => {
      expect(red({ received: twice, database: marked })).toBe('I4');
    });

    it('sees an attempt that was written down twice, and attempts that were taken back', () => {
      const attempts = [unknown(2, 1), unknown(2, 1)];
      expect(red({ database: { ...marked, attempts } })).toBe('I4');
      expect(red({ database: { attempts: [unknown(2, 2)] } })).toBe('I4');
    });
  });

  describe('I5, nothing outside of its time', () => {
    it('sees a request after the end', () => {
      expect(red({ received: [received(1), received(2, { times: [AT, END + 1] })] })).toBe('I5');
    });

    it("sees a request outside of the client's window", () => {
      // 11:59 UTC is 14:59 in Moscow and 21:59 in Vladivostok.
      const window = { from: '09:00', to: '21:00', timezone: 'client' };
      const messages = [message(1), message(2, { zone: 'Asia/Vladivostok' })];
      expect(red({ database: { mailings: [mailing({ window })], messages } })).toBe('I5');
      expect(red({ database: { mailings: [mailing({ window })] } })).toBe('');
    });

    it('knows windows of a named zone and windows over midnight', () => {
      const night = { from: '21:00', to: '09:00', timezone: 'Asia/Vladivostok' };
      expect(red({ database: { mailings: [mailing({ window: night })] } })).toBe('');
      const inMoscow = { ...night, timezone: 'Europe/Moscow' };
      expect(red({ database: { mailings: [mailing({ window: inMoscow })] } })).toBe('I5');
    });
  });

  describe('I6, acknowledged writes survive', () => {
    it('misses what was created', () => {
      expect(red({ acknowledged: [{ what: 'client created', clientId: 7 }] })).toBe('I6');
      expect(red({ acknowledged: [{ what: 'mailing created', mailingId: 7 }] })).toBe('I6');
      expect(red({ acknowledged: [{ what: 'mailing created', mailingId: 1 }] })).toBe('');
    });

    it('sees what was deleted', () => {
      expect(red({ acknowledged: [{ what: 'mailing deleted', mailingId: 1 }] })).toBe('I6');
    });

    it('sees an edit that was lost', () => {
      const change = (text: string) =>
        ({ what: 'mailing changed', mailingId: 1, now: { text } }) as const;
      expect(red({ acknowledged: [change('New')] })).toBe('I6');
      expect(red({ acknowledged: [change('Hello')] })).toBe('');
    });

    it('sees what was sent after a stop without having been claimed before', () => {
      const stopped = (claimed: number[], until?: number) =>
        ({
          what: 'sending stopped',
          mailingId: 1,
          at: AT - 1,
          claimed: new Set(claimed),
          ...(until !== undefined && { until }),
        }) as const;
      expect(red({ acknowledged: [stopped([1])] })).toBe('I6');
      expect(red({ acknowledged: [stopped([1, 2])] })).toBe('');
      expect(red({ acknowledged: [stopped([], AT - 0.5)] })).toBe('');
      const ofPurged = { ...stopped([]), messages: new Set([9]) };
      const all = [received(1), received(2), received(9, { oks: 0 })];
      expect(red({ acknowledged: [ofPurged], received: all.slice(2) })).toContain('I6');
    });
  });

  it('I7: sees counters that are not what the rows say, then or meanwhile', () => {
    expect(red({ database: { mailings: [counted({ sent: 1, failed: 1 })] } })).toBe('I7');
    expect(red({ database: { mailings: [counted({ total: 3 })] } })).toBe('I7');
    expect(red({ database: { mailings: [counted({ repeated: 1 })] } })).toBe('I7');
    expect(red({ database: { mailings: [mailing({ counters: null })] } })).toBe('I7');
    expect(red({ database: { disagreements: ['mailing 1 at 12:00'] } })).toBe('I7');
  });

  it('I8: sees what grew beyond its bound', () => {
    expect(red({ usage: [{ what: 'in flight', most: 65, allowed: 64 }] })).toBe('I8');
    expect(red({ usage: [{ what: 'in flight', most: 64, allowed: 64 }] })).toBe('');
  });

  it('I9: sees tokens and full phone numbers in logs', () => {
    expect(red({ logs: ['{"authorization":"Bearer eyJ.secret.x"}'] })).toBe('I9');
    expect(red({ logs: ['{"msg":"sent to 79161234567"}'] })).toBe('I9');
    expect(red({ logs: ['{"msg":"79161234568, 791612345678 and 7***67 are not his"}'] })).toBe('');
  });

  it('I10: sees sending that resumed late or not at all', () => {
    const resumed = (tookMs: number | null) => [{ after: 'the restart', tookMs, limitMs: 30_000 }];
    expect(red({ resumptions: resumed(30_001) })).toBe('I10');
    expect(red({ resumptions: resumed(null) })).toBe('I10');
    expect(red({ resumptions: resumed(29_999) })).toBe('');
  });

  it('I11: sees activity that is not what the counters say, then or meanwhile', () => {
    const activity = { ...COUNTS, failed: 1 };
    expect(red({ database: { mailings: [mailing({ activity })] } })).toBe('I11');
    expect(red({ database: { disagreeingBooks: ['mailing 1 at 12:00'] } })).toBe('I11');
  });
});
