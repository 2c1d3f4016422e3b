import { MailingScan } from './mailing-scan.js';

const ZONES = [1, 2, 3];
const BEGINNING = { notBefore: '-infinity', id: 0 };

/** What the database says of a running mailing. */
const mailing = (
  changes: { zones?: readonly number[]; total?: number; version?: string } = {},
) => ({
  id: 42,
  laneId: 1,
  ratePerSecond: null,
  grantedAheadMs: null,
  total: 100,
  version: '1',
  zones: ZONES,
  ...changes,
});
const due = (id: number, zoneId = 1) => ({
  mailingId: 42,
  zoneId,
  id,
  attempts: 0,
  notBefore: '-infinity',
});

describe('the scan of a mailing', () => {
  let scan: MailingScan;

  beforeEach(() => {
    scan = new MailingScan();
    scan.update(mailing(), 0);
  });

  /** All fresh messages of these zones were taken. */
  const exhaust = (...zones: number[]) => {
    for (const zoneId of zones) scan.advance(zoneId, 'fresh', due(10 * zoneId, zoneId), true);
  };

  it('gives the zones turns', () => {
    expect(scan.takeFreshZones(2)).toEqual([1, 2]);
    expect(scan.takeFreshZones(2)).toEqual([3, 1]);
    expect(scan.takeFreshZones(9)).toEqual([2, 3, 1]);
  });

  it('continues behind what was taken', () => {
    expect(scan.cursor(1, 'fresh')).toEqual(BEGINNING);
    scan.advance(1, 'fresh', due(17), false);
    expect(scan.cursor(1, 'fresh')).toEqual({ notBefore: '-infinity', id: 17 });
    expect(scan.cursor(1, 'retries')).toEqual(BEGINNING);
    expect(scan.cursor(2, 'fresh')).toEqual(BEGINNING);
  });

  it('leaves out a zone that came to its end, until more is planned', () => {
    exhaust(...ZONES);
    expect(scan.hasFresh).toBe(false);
    scan.update(mailing({ total: 100 }), 1);
    expect(scan.hasFresh).toBe(false);
    scan.update(mailing({ total: 101 }), 2);
    expect(scan.takeFreshZones(9)).toEqual(ZONES);
    expect(scan.cursor(2, 'fresh').id).toBe(20);
  });

  it('takes back what the queue did not take', () => {
    scan.advance(1, 'fresh', due(5), false);
    const undo = scan.advance(1, 'fresh', due(9), true);
    undo();
    expect(scan.cursor(1, 'fresh').id).toBe(5);
    expect(scan.takeFreshZones(9)).toContain(1);
  });

  it('takes nothing back in a zone that was closed and opened meanwhile', () => {
    const undo = scan.advance(1, 'fresh', due(9), false);
    scan.update(mailing({ zones: [2, 3] }), 1);
    scan.update(mailing({ zones: [1, 2, 3] }), 2);
    undo();
    expect(scan.cursor(1, 'fresh')).toEqual(BEGINNING);
  });

  it('refuses to continue in a zone that is not open', () => {
    expect(() => scan.advance(9, 'fresh', due(1, 9), true)).toThrow('zone 9 is not open');
  });

  it('forgets a zone that closes, with what was offered of it', () => {
    scan.offered.add({ id: 5, attempts: 0, zoneId: 1, offers: 1 }, 0);
    scan.offered.add({ id: 6, attempts: 0, zoneId: 2, offers: 1 }, 0);
    scan.update(mailing({ zones: [2, 3] }), 1);
    expect(scan.takeFreshZones(9)).toEqual([2, 3]);
    expect(scan.offered.has(5, 0)).toBe(false);
    expect(scan.offered.has(6, 0)).toBe(true);
  });

  describe('after a change of the mailing', () => {
    it('begins again, for messages may be pending that it has passed', () => {
      exhaust(...ZONES);
      scan.update(mailing({ version: '2' }), 5_000);
      expect(scan.takeFreshZones(9)).toEqual(ZONES);
      expect(scan.cursor(1, 'fresh')).toEqual(BEGINNING);
    });

    it('begins again at most every 2 s, and does so for the last change, too', () => {
      scan.update(mailing({ version: '2' }), 5_000);
      exhaust(...ZONES);
      scan.update(mailing({ version: '3' }), 6_000);
      expect(scan.hasFresh).toBe(false);
      scan.update(mailing({ version: '3' }), 6_999);
      expect(scan.hasFresh).toBe(false);
      scan.update(mailing({ version: '3' }), 7_000);
      expect(scan.hasFresh).toBe(true);
    });
  });

  describe('for retries', () => {
    it('looks into every zone once a second', () => {
      expect(scan.takeRetryZones(0, 2)).toEqual([1, 2]);
      expect(scan.takeRetryZones(1, 9)).toEqual([3]);
      expect(scan.hasRetriesToLookFor(999)).toBe(false);
      expect(scan.hasRetriesToLookFor(1_000)).toBe(true);
      expect(scan.takeRetryZones(1_000, 9)).toEqual(ZONES);
    });

    it('looks first into zones that have more, and again into what was not read', () => {
      scan.takeRetryZones(0, 9);
      scan.advance(2, 'retries', due(8, 2), false);
      scan.lookForRetriesAgain(3);
      scan.lookForRetriesAgain(9); // not open
      expect(scan.takeRetryZones(1, 9)).toEqual([2, 3]);
      scan.advance(2, 'retries', due(9, 2), true);
      expect(scan.takeRetryZones(2, 9)).toEqual([]);
    });

    it('reads a zone that came to its end from its beginning again after 10 s', () => {
      exhaust(1);
      scan.takeRetryZones(9_999, 9);
      expect(scan.cursor(1, 'fresh').id).toBe(10);
      scan.takeRetryZones(11_000, 9);
      expect(scan.cursor(1, 'fresh')).toEqual(BEGINNING);
      expect(scan.cursor(2, 'fresh')).toEqual(BEGINNING);
    });

    it('gives them a share of the room while there are fresh ones, and else all of it', () => {
      expect(scan.retryShare(10, 0.2)).toBe(2);
      exhaust(...ZONES);
      expect(scan.retryShare(10, 0.2)).toBe(10);
    });

    it('carries what is less than a message to the next look, and no more', () => {
      scan.settleRetryShare(1, 0, 1); // all that was left over is taken
      const taken = Array.from({ length: 10 }, () => {
        const now = scan.retryShare(1, 0.2);
        scan.settleRetryShare(1, 0.2, now);
        return now;
      });
      // A fifth of the room for one message a look.
      expect(taken.reduce((sum, count) => sum + count, 0)).toBeCloseTo(2, -0.5);
      expect(Math.max(...taken)).toBe(1);
      for (let look = 0; look < 50; look++) scan.settleRetryShare(10, 0.2, 0);
      expect(scan.retryCredit).toBeLessThan(1);
    });
  });
});
