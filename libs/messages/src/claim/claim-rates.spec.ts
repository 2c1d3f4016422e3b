import { countersAndRows, type TestDatabase, Claiming } from '@app/testkit';

describe('the claim with a rate', () => {
  let claiming: Claiming;
  let database: TestDatabase;
  const sql = <Row = Record<string, unknown>>(text: string, values: unknown[] = []) =>
    database.sql<Row>(text, values);
  const ask: Claiming['ask'] = (...asked) => claiming.ask(...asked);
  const claim: Claiming['claim'] = (...asked) => claiming.claim(...asked);
  const mailing: Claiming['mailing'] = (...seeds) => claiming.mailing(...seeds);

  beforeAll(async () => {
    claiming = await Claiming.start();
    ({ database } = claiming);
  });
  afterEach(() => claiming.resetLanes());
  afterAll(() => database.drop());

  it('spaces the messages of a mailing and leaves what lies too far ahead', async () => {
    const { mailingId, ids } = await mailing(
      Array.from({ length: 20 }, () => ({})),
      {
        ratePerSecond: 10,
      },
    );
    const askedAt = performance.now();
    const claimed = await claim(ids);
    expect(claimed.map((message) => Math.round(message.sendInMs))).toEqual([0, 105, 210, 315, 420]);
    const state = await countersAndRows(database.dataSource, mailingId);
    expect(state.rows).toEqual({ sending: 5, pending: 15 });
    const [next] = await claim(ids.slice(5));
    const passedMs = performance.now() - askedAt;
    expect(passedMs + (next?.sendInMs ?? 525)).toBeGreaterThan(380);
  });

  it('spaces the messages of a lane over all its mailings, and saves nothing up', async () => {
    const a = await mailing([{}, {}, {}]);
    const b = await mailing([{}, {}, {}]);
    await sql(`UPDATE lanes SET rate_per_second = 20, next_send_at = now() - interval '1 hour'`);
    const claimed = await claim([...a.ids, ...b.ids]);
    const times = claimed.map((message) => message.sendInMs).sort((x, y) => x - y);
    expect(times.map(Math.round)).toEqual([0, 53, 105, 158, 210, 263]);
  });

  it('does not let a slow mailing hold a lane up', async () => {
    const slow = await mailing(
      Array.from({ length: 5 }, () => ({})),
      { ratePerSecond: 1 },
    );
    const fast = await mailing(Array.from({ length: 5 }, () => ({})));
    await sql(`UPDATE lanes SET rate_per_second = 20`);
    const claimed = await claim([...slow.ids, ...fast.ids]);
    const of = (mailingId: number) => claimed.filter((m) => m.mailingId === mailingId).length;
    expect([of(slow.mailingId), of(fast.mailingId)]).toEqual([1, 5]);
  });

  const many = (count: number) => Array.from({ length: count }, () => ({}));
  const ownersOf = (claimed: { mailingId: number; sendInMs: number }[]) =>
    [...claimed].sort((a, b) => a.sendInMs - b.sendInMs).map(({ mailingId }) => mailingId);

  it('gives the mailings of a lane their moments in turn, whichever is older', async () => {
    const older = await mailing(many(20));
    const newer = await mailing(many(20));
    await sql(`UPDATE lanes SET rate_per_second = 10`);
    const [a, b] = [older.mailingId, newer.mailingId];
    expect(ownersOf(await claim([...older.ids, ...newer.ids]))).toEqual([a, b, a, b, a]);
  });

  it('grants several of a mailing whose own rate is lower than that of its lane', async () => {
    const { ids } = await mailing(many(8), { ratePerSecond: 40 });
    await sql(`UPDATE lanes SET rate_per_second = 50`);
    const { claimed, later } = await ask(ids);
    expect([claimed.length, later.length]).toEqual([8, 0]);
    const times = claimed.map(({ sendInMs }) => Math.round(sendInMs)).sort((a, b) => a - b);
    expect(times.slice(0, 5)).toEqual([0, 26, 53, 79, 105]);
  });

  it('keeps no moment of the lane for a message that its mailing sends much later', async () => {
    const slow = await mailing(many(10), { ratePerSecond: 10 });
    const fast = await mailing(many(30));
    await sql(`UPDATE lanes SET rate_per_second = 50`);
    const { claimed, later } = await ask([...slow.ids, ...fast.ids]);
    const ofFast = claimed.filter(({ mailingId }) => mailingId === fast.mailingId);
    expect(claimed).toHaveLength(24);
    expect(ofFast.length).toBeGreaterThanOrEqual(19);
    expect(ofFast.length).toBeLessThan(24);
    expect(later).toHaveLength(16);
    const [lane] = await sql<{ ms: number }>(
      `SELECT extract(epoch FROM next_send_at - clock_timestamp())::float8 * 1000 AS ms FROM lanes`,
    );
    expect(lane?.ms).toBeLessThanOrEqual(504);
  });

  it('loses nothing of the rate when a claim comes a little late', async () => {
    const { mailingId, ids } = await mailing(many(2), { ratePerSecond: 10 });
    const nextAt = async (change: string) => {
      await sql(`UPDATE mailing_counters SET next_send_at = ${change} WHERE mailing_id = $1`, [
        mailingId,
      ]);
      const [before] = await sql<{ at: Date }>(
        'SELECT next_send_at AS at FROM mailing_counters WHERE mailing_id = $1',
        [mailingId],
      );
      const [claimed] = await claim(ids.splice(0, 1));
      expect(claimed?.sendInMs).toBe(0);
      const [after] = await sql<{ at: Date }>(
        'SELECT next_send_at AS at FROM mailing_counters WHERE mailing_id = $1',
        [mailingId],
      );
      return (after?.at.getTime() ?? 0) - (before?.at.getTime() ?? 0);
    };
    expect(await nextAt(`clock_timestamp() - interval '60 ms'`)).toBe(105);
    expect(await nextAt(`clock_timestamp() - interval '2 s'`)).toBeGreaterThan(2_000);
  });

  it('says of what it does not grant when its turn would come', async () => {
    const { ids } = await mailing(many(8), { ratePerSecond: 10 });
    const { claimed, later } = await ask(ids);
    expect(claimed.map(({ id }) => id)).toEqual(ids.slice(0, 5));
    expect(later.map(({ id }) => id).sort((a, b) => a - b)).toEqual(ids.slice(5));
    expect(later.map(({ sendInMs }) => Math.round(sendInMs)).sort((a, b) => a - b)).toEqual([
      525, 630, 735,
    ]);
  });

  it('grants them in the order in which their jobs came', async () => {
    const { ids } = await mailing(many(8), { ratePerSecond: 10 });
    const { claimed } = await ask(ids.toReversed());
    expect(claimed.map(({ id }) => id).sort((a, b) => a - b)).toEqual(ids.slice(3));
  });

  it('does not wait for what was reserved at a slower rate', async () => {
    const { mailingId, ids } = await mailing(many(2), { ratePerSecond: 0.01 });
    expect(await claim(ids)).toHaveLength(1);
    await sql('UPDATE mailings SET rate_per_second = 100 WHERE id = $1', [mailingId]);
    const { claimed, later } = await ask(ids);
    expect([claimed, later.map(({ sendInMs }) => sendInMs < 600)]).toEqual([[], [true]]);
  });
});
