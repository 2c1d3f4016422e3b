import { faults as settingsOf, type Settings } from '../../test/client.js';
import { draw, drawLatency } from './draw.js';
import { Faults } from './faults.js';
import type { Latency } from './settings.js';

const IDS = Array.from({ length: 10_000 }, (_, n) => n + 1);

function hits(settings: Settings, ids: number[] = IDS): number[] {
  const faults = new Faults(settingsOf(settings));
  return ids.filter((id) => faults.choose(id, 1) !== undefined);
}
const share = (value: number, seed = 1): Settings => ({
  seed,
  rules: [{ fault: 'html', share: value }],
});

describe('the choice of a fault', () => {
  it('hits about the share that was asked for', () => {
    expect(hits(share(0.2)).length / IDS.length).toBeCloseTo(0.2, 1);
    expect(hits(share(0))).toEqual([]);
    expect(hits(share(1))).toEqual(IDS);
  });

  it('hits the same ids again for the same seed, in whatever order they come', () => {
    const forwards = hits(share(0.3));
    const backwards = hits(share(0.3), [...IDS].reverse());
    expect(backwards.reverse()).toEqual(forwards);
    expect(hits(share(0.3, 2))).not.toEqual(forwards);
  });

  it('draws again for the next request of an id and for the next rule', () => {
    const half: Settings['rules'] = [{ fault: 'html', share: 0.5 }];
    const faults = new Faults(settingsOf({ rules: [...half, { fault: 'empty', share: 0.5 }] }));
    const kinds = IDS.map((id) => [faults.choose(id, 1)?.fault, faults.choose(id, 2)?.fault]);
    const count = (kind: string | undefined, nth: number) =>
      kinds.filter((pair) => pair[nth] === kind).length / IDS.length;
    for (const nth of [0, 1]) {
      expect(count('html', nth)).toBeCloseTo(0.5, 1);
      expect(count('empty', nth)).toBeCloseTo(0.25, 1);
      expect(count(undefined, nth)).toBeCloseTo(0.25, 1);
    }
    const again = kinds.filter(([first, second]) => first === second).length / IDS.length;
    expect(again).toBeCloseTo(0.5 ** 2 + 2 * 0.25 ** 2, 1);
  });

  it('hits the first requests of each id and then lets it pass', () => {
    const faults = new Faults(settingsOf({ rules: [{ fault: 'html', firstRequests: 2 }] }));
    const kinds = [1, 2, 3].map((nth) => [
      faults.choose(5, nth)?.fault,
      faults.choose(6, nth)?.fault,
    ]);
    expect(kinds).toEqual([
      ['html', 'html'],
      ['html', 'html'],
      [undefined, undefined],
    ]);
  });

  it('stops after so many times, and hits only the ids that are named', () => {
    const faults = new Faults(
      settingsOf({
        rules: [
          { fault: 'html', times: 2 },
          { fault: 'empty', ids: [7] },
        ],
      }),
    );
    const kinds = [6, 7, 6, 7, 6].map((id) => faults.choose(id, 1)?.fault);
    expect(kinds).toEqual(['html', 'html', undefined, 'empty', undefined]);
    expect(faults.view().fired.rules).toEqual([2, 1]);
  });
});

describe('latency', () => {
  const sample = (latency: Latency) =>
    IDS.map((id) => drawLatency(latency, (n) => draw(1, n, id, 1))).sort((a, b) => a - b);
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const at = (values: number[], share: number) => values[Math.floor(values.length * share)] ?? NaN;

  it('is fixed', () => {
    expect(new Set(sample({ distribution: 'fixed', ms: 7 }))).toEqual(new Set([7]));
  });

  it('is uniform between its ends', () => {
    const values = sample({ distribution: 'uniform', minMs: 10, maxMs: 20 });
    expect(mean(values)).toBeCloseTo(15, 0);
    expect(at(values, 0)).toBeGreaterThanOrEqual(10);
    expect(values.at(-1)).toBeLessThan(20);
  });

  it('is normal around its mean and never negative', () => {
    const values = sample({ distribution: 'normal', meanMs: 100, deviationMs: 10 });
    expect(Math.abs(mean(values) - 100)).toBeLessThan(1);
    expect(Math.abs(at(values, 0.841) - 110)).toBeLessThan(1);
    expect(at(sample({ distribution: 'normal', meanMs: 0, deviationMs: 10 }), 0.2)).toBe(0);
  });

  it('is lognormal around its median, with a long tail', () => {
    const values = sample({ distribution: 'lognormal', medianMs: 50, sigma: 1 });
    expect(Math.abs(at(values, 0.5) - 50)).toBeLessThan(3);
    expect(Math.abs(at(values, 0.841) / 50 - Math.E)).toBeLessThan(0.2);
  });
});
