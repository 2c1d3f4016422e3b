import { GATE, poolOf } from '@app/database';
import {
  addClients,
  addMailing,
  addMessages,
  type ApiCaller,
  countersAndRows,
  createTestDatabase,
  type RunningApi,
  startApi,
  type TestDatabase,
} from '@app/testkit';

interface HistoryPage {
  items: { id: number; mailingId: number; mailingName: string; status: string }[];
  nextCursor: string | null;
}

describe('deleting a client', () => {
  let database: TestDatabase;
  let api: RunningApi;
  let admin: ApiCaller;

  beforeAll(async () => {
    database = await createTestDatabase();
    api = await startApi(database.url);
    ({ admin } = api);
  });
  afterAll(async () => {
    await api.process.stop();
    await database.drop();
  });

  const client = async () => (await addClients(database.dataSource, [{}]))[0] ?? 0;

  async function message(id: number) {
    const { rows } = await poolOf(database.dataSource).query<Record<string, unknown>>(
      'SELECT status, address, last_error_code, unconfirmed FROM messages WHERE id = $1',
      [id],
    );
    return rows[0];
  }

  it('ends its waiting messages in every mailing, and the counters still add up', async () => {
    const [clientId, other] = [await client(), await client()];
    const { dataSource } = database;
    const mailings = [await addMailing(dataSource), await addMailing(dataSource)];
    const waiting: number[] = [];
    for (const mailingId of mailings) {
      const seeds = [{ status: 'pending', clientId } as const, { status: 'pending' } as const];
      waiting.push((await addMessages(dataSource, mailingId, seeds))[0] ?? 0);
    }
    const doubtful = await addMailing(dataSource);
    const attributes = { clientId, attempts: 2, unconfirmed: true, address: '79000000001' };
    const [asked = 0] = await addMessages(dataSource, doubtful, [
      { status: 'pending', ...attributes },
      { status: 'pending', clientId: other },
    ]);

    expect((await admin.delete<string>(`/clients/${clientId}`)).status).toBe(204);

    for (const id of waiting) {
      const expected = { status: 'cancelled', address: null };
      expect(await message(id)).toMatchObject({ ...expected, last_error_code: 'client_deleted' });
    }
    const unknown = { status: 'unknown', address: null, unconfirmed: true };
    expect(await message(asked)).toMatchObject(unknown);
    const [first = 0] = mailings;
    expect((await countersAndRows(dataSource, first)).counters).toEqual({
      cancelled: 1,
      pending: 1,
    });
    for (const id of [...mailings, doubtful]) {
      const { counters, rows } = await countersAndRows(dataSource, id);
      expect(counters).toEqual(rows);
    }
    const activity = await poolOf(dataSource).query<{ cancelled: number; unknown: number }>(
      `SELECT sum(cancelled)::int AS cancelled, sum(unknown)::int AS unknown
       FROM mailing_activity WHERE mailing_id = ANY ($1)`,
      [[...mailings, doubtful]],
    );
    expect(activity.rows).toEqual([{ cancelled: 2, unknown: 1 }]);
  });

  it('keeps what has happened, without the phone, and leaves alone what is under way', async () => {
    const clientId = await client();
    const { dataSource } = database;
    const ids: number[] = [];
    for (const status of ['sent', 'failed', 'expired', 'unknown', 'sending'] as const) {
      const seed = { status, clientId, address: '79000000002' };
      ids.push(...(await addMessages(dataSource, await addMailing(dataSource), [seed])));
    }
    await admin.delete(`/clients/${clientId}`);
    const after = await Promise.all(ids.map(message));
    const statuses = after.map((row) => row?.status);
    expect(statuses).toEqual(['sent', 'failed', 'expired', 'unknown', 'sending']);
    expect(after.map((row) => row?.address)).toEqual(Array(5).fill(null));
  });

  it('of which a mailing that is being purged knows nothing works, too', async () => {
    const clientId = await client();
    const mailingId = await addMailing(database.dataSource);
    await addMessages(database.dataSource, mailingId, [{ status: 'pending', clientId }]);
    await poolOf(database.dataSource).query(
      `WITH gone AS (DELETE FROM mailing_counters WHERE mailing_id = $1)
       UPDATE mailings SET deleted_at = now() WHERE id = $1`,
      [mailingId],
    );
    expect((await admin.delete<string>(`/clients/${clientId}`)).status).toBe(204);
  });

  it('answers only when no claim that saw the client is running any more', async () => {
    const clientId = await client();
    const claim = await poolOf(database.dataSource).connect();
    try {
      await claim.query('BEGIN');
      await claim.query(`SELECT pg_advisory_xact_lock_shared(${GATE})`);
      let answered = false;
      const deletion = admin.delete<string>(`/clients/${clientId}`).then(({ status }) => {
        answered = true;
        return status;
      });
      // The deletion itself is committed and seen by all …
      let status: number;
      do ({ status } = await admin.get(`/clients/${clientId}`));
      while (status === 200);
      expect(status).toBe(404);
      // … and it waits for us at the gate.
      await expect(waitsAtGate()).resolves.toBe(true);
      expect(answered).toBe(false);
      await claim.query('COMMIT');
      expect(await deletion).toBe(204);
    } finally {
      await claim.query('ROLLBACK');
      claim.release();
    }
  });

  async function waitsAtGate(): Promise<boolean> {
    for (let look = 0; look < 5_000; look++) {
      const { rows } = await poolOf(database.dataSource).query(
        `SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = $1 AND NOT granted`,
        [GATE],
      );
      if (rows.length > 0) return true;
    }
    return false;
  }

  it('happens once when many ask for it at the same time', async () => {
    const clientId = await client();
    const mailingId = await addMailing(database.dataSource);
    await addMessages(database.dataSource, mailingId, [{ status: 'pending', clientId }]);
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => admin.delete<string>(`/clients/${clientId}`)),
    );
    const statuses = answers.map((answer) => answer.status).sort();
    expect(statuses).toEqual([204, ...Array<number>(7).fill(404)]);
    const { counters, rows } = await countersAndRows(database.dataSource, mailingId);
    expect(counters).toEqual({ cancelled: 1 });
    expect(rows).toEqual(counters);
  });

  describe('and the history of one that is there', () => {
    it('goes over its mailings, newest first, page by page, without deleted ones', async () => {
      const clientId = await client();
      const mailings: number[] = [];
      for (let i = 0; i < 5; i++) {
        const mailingId = await addMailing(database.dataSource, { name: `mailing ${i}` });
        await addMessages(database.dataSource, mailingId, [{ status: 'sent', clientId }]);
        await addMailing(database.dataSource); // one that is not for this client
        mailings.push(mailingId);
      }
      await poolOf(database.dataSource).query(
        'UPDATE mailings SET deleted_at = now() WHERE id = $1',
        [mailings[2]],
      );
      const path = `/clients/${clientId}/messages?limit=3`;
      const first = (await admin.get<HistoryPage>(path)).body;
      const second = (await admin.get<HistoryPage>(`${path}&cursor=${first.nextCursor}`)).body;
      const names = [...first.items, ...second.items].map((item) => item.mailingName);
      expect(names).toEqual(['mailing 4', 'mailing 3', 'mailing 1', 'mailing 0']);
      expect(first.items[0]).toMatchObject({
        ...{ mailingId: mailings[4], status: 'sent', attempts: 1, repeated: false, phone: null },
        createdAt: expect.stringMatching(/Z$/) as string,
      });
      expect(second.nextCursor).toBeNull();
    });
  });
});
