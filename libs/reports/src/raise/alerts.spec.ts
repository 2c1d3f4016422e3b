import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { TokenExpiries } from '@app/lanes';
import { encrypt } from '@app/platform';
import {
  addMailing,
  createTestDatabase,
  HeldReports,
  type HeldReportsOptions,
  MailCatcher,
  type TestDatabase,
} from '@app/testkit';

const NOW = '2030-07-02T10:00:00Z';
const MINUTE = 60_000;

describe('alerts', () => {
  let database: TestDatabase;
  let catcher: MailCatcher;
  const opened: HeldReports[] = [];

  beforeAll(async () => {
    catcher = await MailCatcher.start();
  });
  beforeEach(async () => {
    database = await createTestDatabase();
    catcher.mails.length = 0;
  });
  afterEach(async () => {
    for (const reports of opened.splice(0)) reports.close();
    await database.drop();
  });
  afterAll(() => catcher.stop());

  const query = (text: string, ...values: unknown[]) => database.dataSource.query(text, values);

  /** With no daily report due. */
  async function open(options: Partial<HeldReportsOptions> = {}) {
    const reports = new HeldReports({
      dataSource: database.dataSource,
      now: NOW,
      smtpUrl: catcher.smtpUrl,
      ...options,
    });
    opened.push(reports);
    await reports.since(NOW);
    return reports;
  }

  const subjects = () => catcher.mails.map(({ email }) => email.subject);

  describe('an alert about errors', () => {
    async function attempts(mailingId: number, minute: string, sent: number, bad: number) {
      await query(
        'INSERT INTO mailing_activity (mailing_id, minute, sent, bad_attempts) VALUES ($1, $2, $3, $4)',
        mailingId,
        minute,
        sent,
        bad,
      );
    }

    it('comes once per mailing when more than the share of enough attempts failed', async () => {
      const reports = await open();
      const id = await addMailing(database.dataSource, { name: 'Sale' });
      await attempts(id, '2030-07-02T09:56Z', 30, 8);
      await attempts(id, '2030-07-02T10:00Z', 9, 3);
      await query(
        `INSERT INTO mailing_errors (mailing_id, hour, code, attempts, detail, last_at)
         VALUES ($1, '2030-07-02T09:00Z', 'http_500', 11, 'Oops', now())`,
        id,
      );
      await reports.run();
      await reports.pass(MINUTE).run();
      expect(subjects()).toEqual(['Posthorn: 22% of attempts fail in “Sale”']);
      expect(catcher.mails[0]?.email.text).toContain('11 of 50 attempts in 5 min');
      expect(catcher.mails[0]?.email.text).toMatch(
        /the provider answered 500 \(http_500\): Oops +11/,
      );
      await attempts(id, '2030-07-02T10:01Z', 0, 500);
      await reports.run();
      expect(catcher.mails).toHaveLength(1);
    });

    it('does not come for a share at the threshold, for too few attempts or for old ones', async () => {
      const reports = await open();
      const [atThreshold, few, old] = [
        await addMailing(database.dataSource),
        await addMailing(database.dataSource),
        await addMailing(database.dataSource),
      ];
      await attempts(atThreshold, '2030-07-02T09:59Z', 80, 20);
      await attempts(few, '2030-07-02T09:59Z', 0, 49);
      await attempts(old, '2030-07-02T09:55Z', 0, 100);
      await reports.run();
      expect(await reports.rows()).toEqual([]);
    });
  });

  describe('an alert about the breaker', () => {
    const lane = (changes: string) =>
      query(`UPDATE lanes SET ${changes} WHERE name = 'notification'`);

    it('comes once per opening of more than 5 minutes, and once when it closes', async () => {
      const reports = await open();
      await lane(`state = 'open', opened_at = '${NOW}', reason = 'http_503: down'`);
      await reports.pass(5 * MINUTE - 1).run();
      expect(await reports.rows()).toEqual([]);
      await reports.pass(1).run();
      await lane(`state = 'half_open', generation = 7`);
      await reports.pass(20 * MINUTE).run();
      expect(subjects()).toEqual(['Posthorn: Nothing goes out over “notification”']);
      expect(catcher.mails[0]?.email.text).toContain('http_503: down');

      await lane(`state = 'closed', opened_at = NULL, updated_at = '2030-07-02T10:24Z'`);
      await reports.run();
      await reports.run();
      expect(subjects().slice(1)).toEqual(['Posthorn: “notification” delivers again']);
      expect(catcher.mails[1]?.email.text).toContain('from 2 July at 13:00 to 2 July at 13:24');
    });

    it.each([
      [
        'a person closes it, when a person opened it',
        `reason = 'opened by hand', probe_at = NULL`,
        /stays open until somebody closes it: PUT \/channels\/\{name\}\/breaker/,
        /by itself/,
      ],
      [
        'a probe gets through, when it opened by itself',
        `reason = 'http_503: down', probe_at = '2030-07-02T10:05Z'`,
        /resumes by itself as soon as a probe gets through/,
        /by hand/,
      ],
    ])('says that nothing goes out until %s', async (_, changes, says, never) => {
      const reports = await open();
      await lane(`state = 'open', opened_at = '2030-07-02T09:00Z', ${changes}`);
      await reports.run();
      for (const part of [catcher.mails[0]?.email.text, catcher.mails[0]?.email.html]) {
        expect(part).toMatch(says);
        expect(part).not.toMatch(never);
      }
    });

    it('distinguishes two openings that follow each other', async () => {
      const reports = await open();
      await lane(`state = 'open', opened_at = '2030-07-02T09:00Z'`);
      await reports.run();
      await lane(`opened_at = '2030-07-02T09:50Z'`);
      await reports.run();
      await lane(`state = 'closed', opened_at = NULL`);
      await reports.run();
      expect((await reports.rows()).map(({ kind }) => kind)).toEqual([
        'breaker_open',
        'breaker_open',
        'breaker_closed',
        'breaker_closed',
      ]);
    });

    it('raises nothing for the end of an opening that was too short for an alert', async () => {
      const reports = await open();
      await lane(`state = 'open', opened_at = '2030-07-02T09:58Z'`);
      await reports.run();
      await lane(`state = 'closed', opened_at = NULL`);
      await reports.pass(60 * MINUTE).run();
      expect(await reports.rows()).toEqual([]);
    });
  });

  describe('an alert about the token', () => {
    const token = (expiresAt: string) =>
      `e30.${Buffer.from(JSON.stringify({ exp: Date.parse(expiresAt) / 1000 })).toString('base64url')}.x`;

    const ofEnvironment = (token: string, encryptionKey?: string) =>
      new TokenExpiries(encryptionKey, new Map([['notification', token]]));

    it('comes daily within three days of its end, and after it', async () => {
      const alerts = { tokens: ofEnvironment(token('2030-07-05T10:00:01Z')) };
      const reports = await open({ alerts });
      await reports.run();
      expect(await reports.rows()).toEqual([]);
      await reports.pass(1_000).run();
      await reports.pass(60 * MINUTE).run();
      expect(subjects()).toEqual([
        'Posthorn: The API token of “notification” expires on 5 July at 13:00',
      ]);
      await reports.at('2030-07-03T06:00:00Z').run();
      await reports.at('2030-07-06T12:00:00Z').run();
      const alertSubjects = subjects().filter((subject) => subject?.includes('token'));
      expect(alertSubjects).toHaveLength(3);
      expect(alertSubjects.at(-1)).toBe('Posthorn: The API token of “notification” has expired');
    });

    it('is about the stored token where there is one', async () => {
      const encryptionKey = 'a passphrase of some length';
      const tokens = ofEnvironment(token('2030-07-03T00:00:00Z'), encryptionKey);
      const reports = await open({ alerts: { tokens } });
      await query(
        'UPDATE lanes SET token_encrypted = $1',
        encrypt(token('2031-01-01'), encryptionKey),
      );
      await reports.run();
      expect(await reports.rows()).toEqual([]);
      await query(
        'UPDATE lanes SET token_encrypted = $1',
        encrypt(token('2030-07-04'), encryptionKey),
      );
      await reports.run();
      expect((await reports.rows()).map(({ content }) => content?.expiresAt)).toEqual([
        '2030-07-04T00:00:00.000Z',
      ]);
    });
  });

  describe('by webhook', () => {
    interface Call {
      body: Record<string, unknown>;
      id: string | string[] | undefined;
    }

    async function hook(answers: number[]) {
      const calls: Call[] = [];
      const server = createServer((request, response) => {
        let body = '';
        request.on('data', (chunk: Buffer) => (body += chunk.toString()));
        request.on('end', () => {
          calls.push({
            body: JSON.parse(body) as Record<string, unknown>,
            id: request.headers['idempotency-key'],
          });
          response.writeHead(answers.shift() ?? 200).end('x'.repeat(100_000));
        });
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const stop = () =>
        new Promise((resolve) => {
          server.closeAllConnections();
          server.close(resolve);
        });
      return { calls, origin, stop };
    }

    it('goes out as JSON besides the mail, and again with the same key until it is taken', async () => {
      const { calls, origin, stop } = await hook([503, 404]);
      const reports = await open({ alerts: { webhookUrl: `${origin}/secret?key=1` } });
      await query(
        `UPDATE lanes SET state = 'open', opened_at = '2030-07-02T09:00Z', reason = 'down'`,
      );
      await reports.run();
      await reports.run();
      expect(calls).toHaveLength(1);
      await reports.pass(MINUTE).run();
      await reports.pass(2 * MINUTE).run();
      await reports.pass(60 * MINUTE).run();
      await stop();
      expect(calls).toHaveLength(3);
      expect(new Set(calls.map(({ id }) => id)).size).toBe(1);
      expect(calls[0]?.body).toMatchObject({
        id: calls[0]?.id,
        kind: 'breaker_open',
        channel: 'notification',
        openedAt: '2030-07-02T09:00:00.000Z',
        reason: 'down',
        subject: 'Posthorn: Nothing goes out over “notification”',
      });
      const [mail, webhook] = await reports.rows();
      expect(mail).toMatchObject({ transport: 'email', status: 'sent' });
      expect(webhook).toMatchObject({
        transport: 'webhook',
        status: 'sent',
        attempts: 3,
        recipients: [origin],
        possible_duplicate: false,
      });
      expect(webhook?.answer).toMatch(/^200 x{1,500}$/);
    });
  });
});
