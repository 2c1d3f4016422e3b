import fc from 'fast-check';
import { mostInOneSecond, World, type WorldMailing } from './feeding.world.js';

const zonesOf = (count: number, each: number): number[] =>
  Array.from({ length: count }, () => each);
const mailingsOf = (count: number, mailing: WorldMailing): WorldMailing[] =>
  Array.from({ length: count }, () => ({ ...mailing }));

/** Sent in the ten seconds after the first two. */
function sentInTenSeconds(world: World): number {
  const from = world.now + 2_000;
  world.run(12_500);
  return world.messages.filter(
    ({ sentAt }) => sentAt !== null && sentAt >= from && sentAt < from + 10_000,
  ).length;
}

describe('feeding a lane', () => {
  describe.each([1, 24, 60, 400])('whose clients live in %s zones', (zones) => {
    it.each([1, 3, 40, 200])('reaches and keeps a rate of %s/s of a mailing', (rate) => {
      const each = Math.ceil((rate * 16) / zones);
      const mailings = [{ zones: zonesOf(zones, each), ratePerSecond: rate }];
      const world = new World({ mailings, laneRate: null });
      const sent = sentInTenSeconds(world);
      expect(sent).toBeGreaterThanOrEqual(Math.floor(rate * 10 * 0.9));
      expect(sent).toBeLessThanOrEqual(Math.ceil(rate * 10 * 1.05));
      expect(mostInOneSecond(world.messages)).toBeLessThanOrEqual(rate + Math.max(1, rate * 0.08));
      expect(world.mostWaiting).toBeLessThanOrEqual(Math.ceil(2 * rate) + 1);
    });

    it.each([3, 50])('reaches and keeps a rate of %s/s of the lane', (rate) => {
      const each = Math.ceil((rate * 16) / zones);
      const mailings = mailingsOf(3, { zones: zonesOf(zones, each), ratePerSecond: null });
      const world = new World({ mailings, laneRate: rate });
      const sent = sentInTenSeconds(world);
      expect(sent).toBeGreaterThanOrEqual(Math.floor(rate * 10 * 0.9));
      expect(sent).toBeLessThanOrEqual(Math.ceil(rate * 10 * 1.05));
      expect(mostInOneSecond(world.messages)).toBeLessThanOrEqual(rate + Math.max(1, rate * 0.08));
    });
  });

  it.each([
    [1, 50],
    [20, 50],
    [45, 50],
    [100, 400],
    [10, 1_000],
  ])(
    'reaches %s/s of a mailing in a lane of %s/s, and leaves the rest to another',
    (rate, lane) => {
      const mailings = [
        { zones: zonesOf(5, rate * 4), ratePerSecond: rate },
        { zones: zonesOf(5, lane * 4), ratePerSecond: null },
      ];
      const world = new World({ mailings, laneRate: lane, ahead: 2_000 });
      const from = world.now + 2_000;
      world.run(12_500);
      const within = (id: number) =>
        world
          .sentOf(id)
          .filter(({ sentAt }) => (sentAt ?? 0) >= from && (sentAt ?? 0) < from + 10_000);
      const share = Math.min(rate, lane / 2);
      expect(within(1).length).toBeGreaterThanOrEqual(Math.floor(share * 10 * 0.85));
      expect(within(1).length).toBeLessThanOrEqual(Math.ceil(rate * 10 * 1.05));
      const all = [...within(1), ...within(2)];
      expect(all.length).toBeGreaterThanOrEqual(lane * 10 * 0.9);
      expect(all.length).toBeLessThanOrEqual(lane * 10 * 1.05);
      expect(mostInOneSecond(all)).toBeLessThanOrEqual(lane + Math.max(1, lane * 0.08));
    },
  );

  it.each([
    [40, 5],
    [40, 20],
    [120, 20],
    [200, 20],
    [320, 20],
    [200, 100],
  ])('reaches and keeps, looking every %s ms, %s/s of a mailing in a rated lane', (every, rate) => {
    const mailings = [
      { zones: zonesOf(5, rate * 4), ratePerSecond: rate },
      { zones: zonesOf(5, rate * 8), ratePerSecond: null },
    ];
    const world = new World({ mailings, laneRate: 3 * rate, ahead: 2_000, lookEveryMs: every });
    const from = world.now + 2_000;
    world.run(12_500);
    const within = world
      .sentOf(1)
      .filter(({ sentAt }) => (sentAt ?? 0) >= from && (sentAt ?? 0) < from + 10_000);
    expect(within.length).toBeGreaterThanOrEqual(Math.floor(rate * 10 * 0.9));
    expect(within.length).toBeLessThanOrEqual(Math.ceil(rate * 10 * 1.05));
    expect(mostInOneSecond(within)).toBeLessThanOrEqual(rate + Math.max(1, rate * 0.08));
  });

  it.each([1, 30, 300])('gives %s equal mailings of a rated lane equal shares', (count) => {
    const mailings = mailingsOf(count, { zones: zonesOf(7, 40), ratePerSecond: null });
    const world = new World({ mailings, laneRate: 300 });
    world.run(10_000);
    const shares = mailings.map((_, index) => world.sentOf(index + 1).length);
    expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
  });

  it('lets a mailing of 100 end soon beside one of many more', () => {
    const huge = { zones: zonesOf(24, 2_000), ratePerSecond: null };
    const small = { zones: [50, 50], ratePerSecond: null };
    const world = new World({ mailings: [huge, small], laneRate: 50 });
    world.run(6_000, () => undefined);
    expect(world.sentOf(2)).toHaveLength(100);
  });

  it('keeps no more than the look-ahead waiting, with thousands of zones of mailings', () => {
    const mailings = mailingsOf(60, { zones: zonesOf(420, 1), ratePerSecond: null });
    const world = new World({ mailings, laneRate: null, ahead: 768, perSecond: 500 });
    world.run(2_000);
    expect(world.mostWaiting).toBeLessThanOrEqual(768);
    expect(world.mostPositions).toBeLessThanOrEqual(400);
    const shares = mailings.map((_, index) => world.sentOf(index + 1).length);
    expect(Math.min(...shares)).toBeGreaterThanOrEqual(Math.max(...shares) * 0.85);
  });

  const anyMailing = fc.record({
    zones: fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 1, maxLength: 30 }),
    ratePerSecond: fc.option(fc.integer({ min: 1, max: 200 }), { nil: null }),
  });
  const anyWorld = fc.record({
    mailings: fc.array(anyMailing, { minLength: 1, maxLength: 12 }),
    laneRate: fc.option(fc.integer({ min: 5, max: 400 }), { nil: null }),
    ahead: fc.integer({ min: 2, max: 200 }),
    perSecond: fc.integer({ min: 20, max: 5_000 }),
  });

  it('feeds each message once, and never more than may wait', () => {
    fc.assert(
      fc.property(anyWorld, (options) => {
        const world = new World(options);
        expect(world.run(600_000)).toBe(true);
        expect(world.mostWaiting).toBeLessThanOrEqual(world.ahead);
        expect(new Set(world.fed).size).toBe(world.messages.length);
        // What waits for longer than some seconds is offered again, which the queue ignores.
        if (options.laneRate === null && options.perSecond > options.ahead) {
          const isRated = options.mailings.some(({ ratePerSecond }) => ratePerSecond !== null);
          if (!isRated) expect(world.fed).toHaveLength(world.messages.length);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('keeps every rate, whatever else there is', () => {
    fc.assert(
      fc.property(anyWorld, (options) => {
        const world = new World(options);
        world.run(20_000);
        const rates = options.mailings.map(({ ratePerSecond }) => ratePerSecond);
        rates.forEach((rate, index) => {
          if (rate === null) return;
          const most = mostInOneSecond(world.sentOf(index + 1));
          expect(most).toBeLessThanOrEqual(rate + Math.max(1, rate * 0.08));
        });
      }),
      { numRuns: 40 },
    );
  });

  it('loses nothing, whatever the queue loses or refuses', () => {
    const anyFailure = fc.constantFrom<'none' | 'refused' | 'lost' | 'wiped'>(
      'none',
      'none',
      'none',
      'refused',
      'lost',
      'wiped',
    );
    fc.assert(
      fc.property(
        anyWorld,
        fc.array(anyFailure, { minLength: 1, maxLength: 50 }),
        (options, failures) => {
          const world = new World(options);
          const left = [...failures];
          const everything = world.run(900_000, (one) => {
            const failure = left.shift();
            if (failure === 'refused') one.look(true);
            if (failure === 'lost') one.queue.splice(0, 1);
            if (failure === 'wiped') one.queue = [];
          });
          expect(everything).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('finds again within 10 s what the queue lost', () => {
    const world = new World({
      mailings: [{ zones: zonesOf(5, 20), ratePerSecond: null }],
      laneRate: null,
      perSecond: 0,
      ahead: 300,
    });
    world.run(200);
    expect(world.queue).toHaveLength(100);
    world.queue.splice(10, 50);
    world.run(9_000);
    expect(world.queue).toHaveLength(100);
  });
});
