import * as locks from './locks.js';

describe('advisory locks', () => {
  it('have a number each', () => {
    const numbers = Object.values(locks).filter((value) => typeof value === 'number');
    expect(numbers.length).toBeGreaterThan(3);
    expect(new Set(numbers).size).toBe(numbers.length);
  });
});
