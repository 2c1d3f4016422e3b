import { createServer } from 'node:http';
import { type AddressInfo, createServer as createSocketServer, type Socket } from 'node:net';
import {
  addMailing,
  type HeldReports,
  type MailCatcher,
  type TestDatabase,
  MailedReports,
} from '@app/testkit';

const NOW = '2030-07-02T10:00:00Z';
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

describe('a report that fails', () => {
  let mailed: MailedReports;
  let database: TestDatabase;
  let catcher: MailCatcher;
  let reports: HeldReports;

  beforeEach(async () => {
    mailed = await MailedReports.start(NOW); // no daily report is due
    ({ database, catcher } = mailed);
    reports = await mailed.open();
  });
  afterEach(() => mailed.stop());

  const query = <T>(text: string, ...values: unknown[]): Promise<T[]> =>
    database.dataSource.query(text, values);

  /** A report with content, as it lies there before it is sent. */
  async function written(key: string, content: object): Promise<number> {
    const [row] = await query<{ id: number }>(
      `INSERT INTO reports (kind, key, transport, content, recipients, message_id, not_before, give_up_at)
       VALUES ('token_expiry', $1, 'email', $2, '{boss@example.com}', gen_random_uuid(), $3,
         $3::timestamptz + interval '1 day') RETURNING id`,
      key,
      JSON.stringify(content),
      NOW,
    );
    return row?.id ?? 0;
  }

  /** A report about nothing, which nobody can write. */
  const unwritable = (count: number) =>
    query(
      `INSERT INTO reports (kind, key, transport, message_id, not_before, give_up_at)
       SELECT 'completion', 'nothing ' || n, 'email', gen_random_uuid(), $2::timestamptz,
         $2::timestamptz + interval '24 hours' FROM generate_series(1, $1::int) n`,
      count,
      NOW,
    );

  const good = { kind: 'token_expiry', channel: 'one', at: NOW, expiresAt: '2030-07-03T10:00:00Z' };
  const row = async (id: number) => (await reports.rows()).find((one) => one.id === id);

  describe('to be written', () => {
    it('keeps no other from being written and sent, and says why', async () => {
      await unwritable(1);
      await addMailing(database.dataSource, { status: 'completed', name: 'Sale' });
      await reports.run();
      expect(catcher.mails.map(({ email }) => email.subject)).toEqual([
        'Posthorn: Sale · Completed · 0 of 0 sent',
      ]);
      const [broken] = await reports.rows();
      expect(broken).toMatchObject({ status: 'pending', attempts: 0 });
      expect(broken?.error).toMatch(/^It could not be written: Report \d+ .* is about nothing$/);
    });

    it('delays no other although there are more of its kind than are read together', async () => {
      await unwritable(45);
      await addMailing(database.dataSource, { status: 'completed' });
      await reports.run();
      expect(catcher.mails).toHaveLength(1);
    });

    it('is logged once and tried again on its own until it can be written', async () => {
      await unwritable(1);
      for (let run = 0; run < 5; run++) await reports.pass(MINUTE).run();
      const lines = reports.complaints.filter((line) => line.includes('"report-write"'));
      expect(lines).toHaveLength(1);
      const id = await addMailing(database.dataSource, { status: 'completed', name: 'Late' });
      await query('UPDATE mailings SET reported_at = finished_at');
      await query('UPDATE reports SET mailing_id = $1', id);
      await reports.pass(MINUTE).run();
      expect(catcher.mails).toHaveLength(1);
      expect(await reports.rows()).toMatchObject([{ status: 'sent', error: null }]);
    });

    it('has failed after 24 hours', async () => {
      await unwritable(1);
      await reports.run();
      await reports.pass(23 * HOUR).run();
      expect((await reports.rows())[0]).toMatchObject({ status: 'pending' });
      await reports.pass(HOUR).run();
      const [broken] = await reports.rows();
      expect(broken).toMatchObject({ status: 'failed', attempts: 0, content: null });
      expect(broken?.error).toMatch(/^It could not be written/);
    });
  });

  it('to be laid out is set aside at once with its reason, and the others go on', async () => {
    const broken = await written('broken', { kind: 'error_rate' });
    const unknown = await written('unknown', { kind: 'from the future' });
    const fine = await written('fine', good);
    await reports.run();
    expect(await row(broken)).toMatchObject({ status: 'failed', attempts: 1, accepted: [] });
    expect((await row(broken))?.error).toMatch(/^It could not be laid out: \S/);
    expect(await row(unknown)).toMatchObject({ status: 'failed', attempts: 1 });
    expect(await row(fine)).toMatchObject({ status: 'sent' });
    await reports.pass(HOUR).run();
    expect(await row(broken)).toMatchObject({ attempts: 1 });
    expect(catcher.mails).toHaveLength(1);
  });

  describe('by the receiver’s answer', () => {
    it('is recorded when a mail server answers with bytes that no text can hold', async () => {
      const server = await smtpServer(['554 5.7.1 No\0 \x07way\x1b[31m', '250 2.0.0 \0']);
      reports = await mailed.open({ smtpUrl: server.url });
      const one = await written('one', good);
      const two = await written('two', good);
      await reports.run();
      await server.stop();
      expect(await row(one)).toMatchObject({
        status: 'failed',
        attempts: 1,
        answer: '554 5.7.1 No\uFFFD \uFFFDway\uFFFD[31m',
        refused: [
          { recipient: 'boss@example.com', answer: '554 5.7.1 No\uFFFD \uFFFDway\uFFFD[31m' },
        ],
      });
      expect(await row(two)).toMatchObject({
        status: 'sent',
        attempts: 1,
        answer: '250 2.0.0 \uFFFD',
      });
    });

    it.each([
      ['NUL and other control characters', 'a\u0000b\u0001\r\nc', '200 a\uFFFDb\uFFFD\r\nc'],
      ['no UTF-8', Buffer.from([0x61, 0xff, 0xfe]), '200 a\uFFFD\uFFFD'],
      ['a flood', '🎉'.repeat(100_000), `200 ${'🎉'.repeat(248)}`],
    ])('is recorded when a webhook answers with %s', async (_, body, answer) => {
      const server = createServer((_request, response) => {
        response.end(body);
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const webhookUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      reports = await mailed.open({ alerts: { webhookUrl } });
      await query(`UPDATE lanes SET state = 'open', opened_at = '2030-07-02T09:00Z'`);
      await reports.run();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      const sent = (await reports.rows()).find(({ transport }) => transport === 'webhook');
      expect(sent).toMatchObject({ status: 'sent', attempts: 1, answer });
    });

    it('is recorded in ASCII when the database takes no other characters', async () => {
      await refuseRecords(`NEW.answer ~ '[^\\x01-\\x7f]'`, '22P05');
      const one = await written('one', good);
      catcher.faults = { content: () => '554 5.7.1 Нет 🎉' };
      await reports.run();
      expect(await row(one)).toMatchObject({ status: 'failed', answer: '554 5.7.1 ??? ??' });
    });
  });

  it('to be recorded keeps no other from being sent, and is recorded when that is possible', async () => {
    const [one, two] = [await written('one', good), await written('two', good)];
    await refuseRecords(`NEW.key = 'one' AND NEW.status = 'sent'`, '23514');
    await reports.run();
    expect(await row(one)).toMatchObject({ status: 'sending' });
    expect(await row(two)).toMatchObject({ status: 'sent' });
    for (let run = 0; run < 3; run++) await reports.pass(MINUTE).run();
    await query('DROP TRIGGER refuse ON reports');
    await reports.pass(MINUTE).run();
    expect(await row(one)).toMatchObject({
      status: 'sent',
      attempts: 1,
      possible_duplicate: false,
    });
    expect(catcher.mails).toHaveLength(2);
  });

  async function refuseRecords(condition: string, code: string): Promise<void> {
    await query(
      `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
         RAISE EXCEPTION 'refused' USING ERRCODE = '${code}'; END $$`,
    );
    await query(
      `CREATE TRIGGER refuse BEFORE UPDATE ON reports FOR EACH ROW WHEN (${condition})
       EXECUTE FUNCTION refuse()`,
    );
  }
});

/** A mail server whose words reach us byte for byte. @param answers to one mail after the other */
async function smtpServer(answers: string[]): Promise<{ url: string; stop: () => Promise<void> }> {
  const sockets = new Set<Socket>();
  const server = createSocketServer((socket) => {
    sockets.add(socket);
    let inContent = false;
    const say = (line: string) => socket.write(`${line}\r\n`, 'latin1');
    socket.on('error', () => undefined);
    socket.on('data', (data) => {
      const text = data.toString('latin1');
      if (inContent) {
        if (!text.endsWith('\r\n.\r\n')) return;
        inContent = false;
        say(answers.shift() ?? '250 Ok');
      } else if (text.startsWith('DATA')) {
        inContent = true;
        say('354 Go ahead');
      } else say('250 Ok');
    });
    say('220 Ready');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
