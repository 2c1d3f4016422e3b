import { PieceSize, PieceSizes } from './piece-size.js';

const BOUNDS = { first: 2_000, least: 100, most: 50_000, aimMs: 400, limitMs: 2_500 };
const cancelled = Object.assign(new Error('canceling statement due to statement timeout'), {
  code: '57014',
});

/** A database that does so many rows per second, and ends what takes longer than it may. */
const database = (rowsPerSecond: number) => (piece: { limit: number; timeoutMs?: number }) => {
  const tookMs = (piece.limit / rowsPerSecond) * 1_000;
  return tookMs > (piece.timeoutMs ?? 20_000)
    ? Promise.reject(cancelled)
    : Promise.resolve({ rows: piece.limit, tookMs });
};

describe('the size of a piece', () => {
  it('comes to the largest within three pieces on a fast database', async () => {
    const size = new PieceSize(BOUNDS);
    const limits: number[] = [];
    for (let piece = 0; piece < 4; piece++) {
      limits.push(size.next.limit);
      await size.run(database(200_000));
    }
    expect(limits).toEqual([2_000, 8_000, 32_000, 50_000]);
  });

  it.each([500, 1_000, 2_500, 10_000, 60_000])(
    'comes to what %d rows/s can do in the wanted time, from any size',
    async (speed) => {
      for (const first of [BOUNDS.least, BOUNDS.most]) {
        const size = new PieceSize(BOUNDS, first);
        for (let piece = 0; piece < 6; piece++) await size.run(database(speed));
        expect(size.next.limit).toBe(speed * 0.4);
      }
    },
  );

  it('is a quarter after a piece that took too long, and says that nothing was done', async () => {
    const size = new PieceSize(BOUNDS, 50_000);
    expect(await size.run(database(1_000))).toBeNull();
    expect(size.next.limit).toBe(12_500);
  });

  it('lets the least piece take as long as it needs, and then fail', async () => {
    const size = new PieceSize(BOUNDS, BOUNDS.least);
    expect(size.next).toEqual({ limit: 100 });
    expect(await size.run(database(10))).toMatchObject({ rows: 100 });
    await expect(size.run(database(1))).rejects.toBe(cancelled);
  });

  it('does not take another error for a slow database', async () => {
    const size = new PieceSize(BOUNDS);
    const broken = new Error('broken');
    await expect(size.run(() => Promise.reject(broken))).rejects.toBe(broken);
    expect(size.next.limit).toBe(2_000);
  });

  it('learns nothing from a piece that was not full and fast', async () => {
    const size = new PieceSize(BOUNDS);
    await size.run(() => Promise.resolve({ rows: 1, tookMs: 1 }));
    expect(size.next.limit).toBe(2_000);
    await size.run(() => Promise.resolve({ rows: 1, tookMs: 800 }));
    expect(size.next.limit).toBe(1_000);
  });

  it('is for a new work no larger than what was just right for another one', async () => {
    const sizes = new PieceSizes(BOUNDS);
    for (let piece = 0; piece < 6; piece++) await sizes.run(1, database(500));
    const limits: number[] = [];
    await sizes.run(2, ({ limit }) => {
      limits.push(limit);
      return Promise.resolve({ rows: limit, tookMs: 1 });
    });
    expect(limits).toEqual([200]);
  });
});
