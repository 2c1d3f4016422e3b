import { type Holder, Places } from './places.js';

function lane(cap = Infinity, isAwake = true): Holder {
  return { held: 0, cap, isAwake };
}

function fill(places: Places, ...lanes: Holder[]): void {
  for (let took = true; took;) {
    took = false;
    for (const one of lanes) {
      if (places.roomFor(one) === 0) continue;
      places.take(one, 1);
      took = true;
    }
  }
}

describe('the places of a process', () => {
  it('all go to the only lane', () => {
    const places = new Places(16);
    const only = lane();
    places.add(only);
    expect(places.roomFor(only)).toBe(16);
    fill(places, only);
    expect(only.held).toBe(16);
    expect(places.mayKeep(only)).toBe(true);
  });

  it('are shared equally by lanes that have jobs waiting', () => {
    const places = new Places(16);
    const [one, other] = [lane(), lane()];
    places.add(one);
    places.add(other);
    fill(places, one, other);
    expect([one.held, other.held]).toEqual([8, 8]);
  });

  it('are never all taken by one of several lanes, so that another one begins at once', () => {
    const places = new Places(16);
    const [one, other] = [lane(), lane(Infinity, false)];
    places.add(one);
    places.add(other);
    fill(places, one);
    expect(one.held).toBe(14);
    Object.assign(other, { isAwake: true });
    places.changed();
    expect(places.roomFor(other)).toBe(2);
    expect(places.mayKeep(one)).toBe(false); // it shrinks to its part
    places.release(one, 6);
    fill(places, one, other);
    expect([one.held, other.held]).toEqual([8, 8]);
  });

  it('that a lane cannot use go to the others', () => {
    const places = new Places(16);
    const [capped, other] = [lane(3), lane()];
    places.add(capped);
    places.add(other);
    fill(places, capped, other);
    expect([capped.held, other.held]).toEqual([3, 13]);
  });

  it('of a lane without waiting jobs are its jobs in hand, not an equal part', () => {
    const places = new Places(16);
    const [few, other] = [lane(), lane()];
    places.add(few);
    places.add(other);
    places.take(few, 1);
    Object.assign(few, { isAwake: false });
    places.changed();
    fill(places, other);
    expect(other.held).toBe(13);
    places.release(few, 1);
    expect(places.roomFor(other)).toBe(1);
  });

  it('serve more lanes than there are, one after the other', () => {
    const places = new Places(2);
    const lanes = Array.from({ length: 5 }, () => lane());
    for (const one of lanes) places.add(one);
    for (const one of lanes) {
      expect(places.roomFor(one)).toBe(1);
      places.take(one, 1);
      places.release(one, 1);
    }
  });
});
