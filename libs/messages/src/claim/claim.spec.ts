import { type Queryable, GATE, poolOf } from '@app/database';
import { countersAndRows, type TestDatabase, Claiming } from '@app/testkit';
import { rereadClaim } from './claim.queries.js';

describe('the claim', () => {
  let claiming: Claiming;
  let database: TestDatabase;
  let db: Queryable;
  const sql = <Row = Record<string, unknown>>(text: string, values: unknown[] = []) =>
    database.sql<Row>(text, values);
  const claim: Claiming['claim'] = (...asked) => claiming.claim(...asked);
  const mailing: Claiming['mailing'] = (...seeds) => claiming.mailing(...seeds);

  beforeAll(async () => {
    claiming = await Claiming.start();
    ({ database } = claiming);
    db = poolOf(database.dataSource);
  });
  afterEach(() => claiming.resetLanes());
  afterAll(() => database.drop());

  it('takes what is due, with a lease, the next attempt number and the time that is left', async () => {
    const { mailingId, ids } = await mailing([{}, { attempts: 2, notBeforeIn: -1 }]);
    const claimed = await claim(ids);

    expect(
      claimed.map(({ id, attempt, contentVersion }) => ({ id, attempt, contentVersion })),
    ).toEqual([
      { id: ids[0], attempt: 1, contentVersion: 1 },
      { id: ids[1], attempt: 3, contentVersion: 1 },
    ]);
    for (const message of claimed) {
      expect(message.address).toMatch(/^7\d{10}$/);
      expect(message.msLeft).toBeGreaterThan(50 * 60_000);
      expect(message.msLeft).toBeLessThanOrEqual(60 * 60_000);
      expect(message.sendInMs).toBe(0);
    }
    const state = await countersAndRows(database.dataSource, mailingId);
    expect(state.counters).toEqual({ sending: 2 });
    expect(state.rows).toEqual(state.counters);
  });

  it('gives a message to only one of two claims', async () => {
    const { ids } = await mailing([{}]);
    const [first, second] = await Promise.all([claim(ids), claim(ids)]);
    expect(first.length + second.length).toBe(1);
  });

  it.each<[string, (mailingId: number) => Promise<unknown>]>([
    ['a paused mailing', (id) => sql(`UPDATE mailings SET status = 'paused' WHERE id = $1`, [id])],
    [
      'a deleted mailing',
      (id) => sql(`UPDATE mailings SET deleted_at = now() WHERE id = $1`, [id]),
    ],
    [
      'a mailing with less than the margin left to its end',
      (id) =>
        sql(`UPDATE mailings SET end_at = clock_timestamp() + interval '400 ms' WHERE id = $1`, [
          id,
        ]),
    ],
    [
      'a slot that has not opened',
      (id) =>
        sql(`UPDATE mailing_slots SET opens_at = now() + interval '1 min' WHERE mailing_id = $1`, [
          id,
        ]),
    ],
    [
      'a slot with less than the margin left',
      (id) =>
        sql(
          `UPDATE mailing_slots SET closes_at = clock_timestamp() + interval '400 ms' WHERE mailing_id = $1`,
          [id],
        ),
    ],
    [
      'a mailing whose slots are being computed',
      (id) => sql('DELETE FROM mailing_slots WHERE mailing_id = $1', [id]),
    ],
    [
      'a retry that is not due',
      (id) =>
        sql(`UPDATE messages SET not_before = now() + interval '1 min' WHERE mailing_id = $1`, [
          id,
        ]),
    ],
    ['a lane whose breaker is open', () => sql(`UPDATE lanes SET state = 'open'`)],
    [
      'a lane that the provider asked to wait',
      () => sql(`UPDATE lanes SET paused_until = now() + interval '1 min'`),
    ],
  ])('takes nothing of %s', async (_, change) => {
    const { mailingId, ids } = await mailing();
    await change(mailingId);
    expect(await claim(ids)).toEqual([]);
    const state = await countersAndRows(database.dataSource, mailingId);
    expect(state.rows).toEqual({ pending: 1 });
  });

  it('takes nothing for another lane', async () => {
    const { ids } = await mailing();
    expect(await claim(ids, { laneId: 4711 })).toEqual([]);
  });

  it('sees a pause that was committed while it waited for the gate', async () => {
    const { mailingId, ids } = await mailing();
    const gatekeeper = await poolOf(database.dataSource).connect();
    await gatekeeper.query('SELECT pg_advisory_lock($1)', [GATE]);
    const waiting = claim(ids);
    await untilSomebodyWaitsForTheGate();
    await sql(`UPDATE mailings SET status = 'paused' WHERE id = $1`, [mailingId]);
    await gatekeeper.query('SELECT pg_advisory_unlock($1)', [GATE]);
    gatekeeper.release();
    expect(await waiting).toEqual([]);
  });

  it('would miss that pause as a plain statement, whose snapshot comes before the gate', async () => {
    const { mailingId } = await mailing();
    const gatekeeper = await poolOf(database.dataSource).connect();
    await gatekeeper.query('SELECT pg_advisory_lock($1)', [GATE]);
    const waiting = sql(
      `WITH gate AS MATERIALIZED (SELECT pg_advisory_xact_lock_shared($2))
       SELECT g.status FROM gate, mailings g WHERE g.id = $1`,
      [mailingId, GATE],
    );
    await untilSomebodyWaitsForTheGate();
    await sql(`UPDATE mailings SET status = 'paused' WHERE id = $1`, [mailingId]);
    await gatekeeper.query('SELECT pg_advisory_unlock($1)', [GATE]);
    gatekeeper.release();
    expect(await waiting).toEqual([{ status: 'running' }]);
  });

  async function untilSomebodyWaitsForTheGate(): Promise<void> {
    for (;;) {
      const rows: unknown[] = await sql(
        `SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database =
          (SELECT oid FROM pg_database WHERE datname = current_database())`,
      );
      if (rows.length > 0) return;
    }
  }

  it('does not wait for a row that somebody else holds', async () => {
    const { ids } = await mailing([{}, {}]);
    const holder = await poolOf(database.dataSource).connect();
    await holder.query('BEGIN');
    await holder.query('SELECT 1 FROM messages WHERE id = $1 FOR UPDATE', [ids[0]]);
    const claimed = await claim(ids);
    await holder.query('ROLLBACK');
    holder.release();
    expect(claimed.map((message) => message.id)).toEqual([ids[1]]);
  });

  it('cancels the message of a deleted client, or keeps its doubt', async () => {
    const { mailingId, ids } = await mailing([
      { clientId: 999_001 },
      { clientId: 999_002, attempts: 1, unconfirmed: true },
    ]);
    expect(await claim(ids)).toEqual([]);
    const state = await countersAndRows(database.dataSource, mailingId);
    expect(state.rows).toEqual({ cancelled: 1, unknown: 1 });
    expect(state.counters).toEqual(state.rows);
  });

  it('sends a new text, but repeats an unconfirmed attempt with the old one to the old number', async () => {
    const { mailingId, ids } = await mailing([
      {},
      { attempts: 1, unconfirmed: true, address: '79998887766' },
    ]);
    await sql('UPDATE mailings SET content_version = 2 WHERE id = $1', [mailingId]);
    const [first, second] = await claim(ids);
    expect(first?.contentVersion).toBe(2);
    expect(second).toMatchObject({ contentVersion: 1, address: '79998887766', unconfirmed: true });
    // Where they go is written down, whatever becomes of the clients' phones.
    expect(
      await sql('SELECT address FROM messages WHERE id = ANY ($1) ORDER BY id', [ids]),
    ).toEqual([{ address: first?.address }, { address: '79998887766' }]);
  });

  it('is found again by its number when the answer got lost', async () => {
    const { ids } = await mailing([{}, {}]);
    const [claimed] = await claim(ids.slice(0, 1));
    const again = await rereadClaim(db, { claimId: claiming.lastClaim, ids });
    expect(again).toHaveLength(1);
    expect(again[0]).toMatchObject({ id: claimed?.id, attempt: 1, address: claimed?.address });
    expect(await rereadClaim(db, { claimId: claiming.lastClaim + 1000, ids })).toEqual([]);
  });

  it('has no time left after an edit that leaves the zone no hour, on a server without infinite intervals', async () => {
    const { mailingId, ids } = await mailing();
    await claim(ids);
    await sql(
      `UPDATE mailing_slots SET opens_at = '-infinity', closes_at = '-infinity' WHERE mailing_id = $1`,
      [mailingId],
    );
    expect(await rereadClaim(db, { claimId: claiming.lastClaim, ids })).toMatchObject([
      { msLeft: 0 },
    ]);
  });

  describe('with an open breaker', () => {
    it('lets the one probe through that carries the current generation, with one message', async () => {
      const { ids } = await mailing([{}, {}, {}]);
      await sql(`UPDATE lanes SET state = 'half_open', generation = 7`);
      expect(await claim(ids, { probe: 6 })).toEqual([]);
      expect(await claim(ids)).toEqual([]);
      expect(await claim(ids, { probe: 7 })).toHaveLength(1);
    });
  });
});
