import { type AddressInfo, createServer, type Server } from 'node:net';
import {
  addMailing,
  type HeldReports,
  type MailCatcher,
  type TestDatabase,
  MailedReports,
} from '@app/testkit';

const DUE = '2030-07-02T06:00:00Z';
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

describe('sending the daily report', () => {
  let mailed: MailedReports;
  let database: TestDatabase;
  let catcher: MailCatcher;
  let reports: HeldReports;

  beforeEach(async () => {
    mailed = await MailedReports.start(DUE, '2030-07-01T12:00:00Z');
    ({ database, catcher } = mailed);
    reports = await open({});
  });
  afterEach(() => mailed.stop());

  const open = (options: {
    smtpUrl?: string | undefined;
    recipients?: string[];
    language?: 'ru';
    limits?: object;
  }): Promise<HeldReports> => {
    const { recipients, language, limits, ...rest } = options;
    return mailed.open({
      ...rest,
      settings: { ...(recipients && { recipients }), ...(language && { language }) },
      limits: { connect: 1_000, greeting: 300, silence: 300, attempt: 600, ...limits },
    });
  };

  async function only() {
    const rows = await reports.rows();
    expect(rows).toHaveLength(1);
    if (!rows[0]) throw new Error('There is no report');
    return rows[0];
  }

  it('happens once, with the answer of the mail server written down', async () => {
    await reports.run();
    expect(reports.complaints).toEqual([]);
    await reports.run();
    await reports.pass(10 * HOUR).run();
    expect(catcher.mails).toHaveLength(1);
    expect(catcher.mails[0]).toMatchObject({
      from: 'posthorn@example.com',
      to: ['boss@example.com', 'team@example.com'],
    });
    expect(await only()).toMatchObject({
      kind: 'daily',
      key: '2030-07-02',
      status: 'sent',
      attempts: 1,
      accepted: ['boss@example.com', 'team@example.com'],
      possible_duplicate: false,
      error: null,
    });
    expect((await only()).answer).toMatch(/^250 /);
  });

  it('carries Cyrillic and emoji in subject, text, page and attachment as they are', async () => {
    const name = 'Распродажа 🎉 «весна»';
    const id = await addMailing(database.dataSource, { name });
    await database.dataSource.query(
      `INSERT INTO mailing_activity (mailing_id, minute, sent) VALUES ($1, '2030-07-01T10:00Z', 5)`,
      [id],
    );
    await database.dataSource.query(
      `UPDATE mailings SET start_at = '2030-07-01T09:00Z', end_at = '2030-07-03T09:00Z', finished_at = now() WHERE id = $1`,
      [id],
    );
    reports = await open({ language: 'ru' });
    await reports.run();
    const daily = catcher.mails.find(({ email }) => email.subject?.includes('2 июля'));
    expect(daily?.email.from).toMatchObject({ name: 'Почта', address: 'posthorn@example.com' });
    expect(daily?.email.subject).toBe(
      'Posthorn, 2 июля 2030 г.: отправлено 5 сообщений, успех 100 %',
    );
    expect(daily?.email.text).toContain(name);
    expect(daily?.email.html).toContain('Распродажа 🎉 «весна»');
    const [attachment] = daily?.email.attachments ?? [];
    expect(attachment?.filename).toBe('posthorn-2030-07-02.csv');
    expect(attachment?.mimeType).toBe('text/csv');
    const csv = Buffer.from(attachment?.content as ArrayBuffer).toString('utf8');
    expect(csv).toContain(name);
  });

  it('is retried after a temporary refusal, and is not marked as a possible copy', async () => {
    let refusals = 2;
    catcher.faults = { content: () => (refusals-- > 0 ? '451 4.3.0 Try again later' : undefined) };
    await reports.run();
    expect(await only()).toMatchObject({
      status: 'pending',
      attempts: 1,
      answer: '451 Try again later'.replace('451 ', '451 4.3.0 '),
      possible_duplicate: false,
      not_before: expect.any(Date) as Date,
    });
    await reports.run();
    expect((await only()).attempts).toBe(1);
    await reports.pass(MINUTE).run();
    await reports.pass(2 * MINUTE).run();
    expect(catcher.mails).toHaveLength(1);
    expect(await only()).toMatchObject({ status: 'sent', attempts: 3, possible_duplicate: false });
  });

  it('ends at once when the server refuses it for good', async () => {
    catcher.faults = { content: () => '554 5.7.1 Not wanted here' };
    await reports.run();
    await reports.pass(HOUR).run();
    expect(await only()).toMatchObject({
      status: 'failed',
      attempts: 1,
      answer: '554 5.7.1 Not wanted here',
      refused: [
        { recipient: 'boss@example.com', answer: '554 5.7.1 Not wanted here' },
        { recipient: 'team@example.com', answer: '554 5.7.1 Not wanted here' },
      ],
    });
  });

  it('reaches the other recipients when one is refused, and asks again only for one who may wait', async () => {
    reports = await open({ recipients: ['a@example.com', 'b@example.com', 'c@example.com'] });
    let waits = true;
    catcher.faults = {
      recipient: (address) => {
        if (address === 'b@example.com') return '550 5.1.1 No such user';
        return waits && address === 'c@example.com' ? '450 4.2.0 Greylisted' : undefined;
      },
    };
    await reports.run();
    expect(await only()).toMatchObject({
      status: 'pending',
      accepted: ['a@example.com'],
      refused: [{ recipient: 'b@example.com', answer: '550 5.1.1 No such user' }],
    });
    waits = false;
    await reports.pass(MINUTE).run();
    expect(catcher.mails.map(({ to }) => to)).toEqual([['a@example.com'], ['c@example.com']]);
    expect(await only()).toMatchObject({
      status: 'sent',
      attempts: 2,
      accepted: ['a@example.com', 'c@example.com'],
    });
  });

  it('waits for a mail server that is down, for 24 hours, and comes once when it is back', async () => {
    const { smtpUrl } = catcher;
    await catcher.stop();
    reports = await open({ smtpUrl });
    for (let hours = 0; hours < 20; hours++) await reports.pass(HOUR).run();
    expect(await only()).toMatchObject({ status: 'pending', possible_duplicate: false });
    expect((await only()).error).toMatch(/ECONNREFUSED/);

    catcher = await mailed.replaceCatcher();
    await reports.pass(HOUR).run();
    await reports.pass(HOUR).run();
    expect(catcher.mails).toHaveLength(1);
    expect((await only()).status).toBe('sent');
  });

  it('is given up after 24 hours', async () => {
    reports = await open({ smtpUrl: 'smtp://127.0.0.1:1' });
    for (let hours = 0; hours < 26; hours++) await reports.pass(HOUR).run();
    const daily = (await reports.rows())[0];
    expect(daily).toMatchObject({ key: '2030-07-02', status: 'failed' });
    expect(daily?.attempts).toBeLessThanOrEqual(25);
    expect(daily?.attempts).toBeGreaterThanOrEqual(24);
  });

  it('does not wait for a server that says nothing, nor for one that drips', async () => {
    const silent = await listen(createServer());
    reports = await open({ smtpUrl: silent.url });
    await reports.run();
    expect(await only()).toMatchObject({
      status: 'pending',
      attempts: 1,
      possible_duplicate: false,
    });
    await silent.stop();

    const dripping = await listen(
      createServer((socket) => {
        socket.on('error', () => undefined);
        const timer = setInterval(() => socket.write('220-still\r\n'), 50);
        socket.on('close', () => {
          clearInterval(timer);
        });
      }),
    );
    reports = await open({ smtpUrl: dripping.url, limits: { greeting: 60_000 } });
    await reports.pass(HOUR).run();
    expect(await only()).toMatchObject({
      status: 'pending',
      attempts: 2,
      possible_duplicate: false,
    });
    await dripping.stop();
  });

  it('says that it may come twice when the server took the content and never answered', async () => {
    catcher.faults = { content: () => new Promise<undefined>(() => undefined) };
    await reports.run();
    expect(await only()).toMatchObject({ status: 'pending', possible_duplicate: true });

    catcher.faults = {};
    await reports.pass(MINUTE).run();
    const [mail] = catcher.mails;
    expect(catcher.mails).toHaveLength(1);
    expect(await only()).toMatchObject({ status: 'sent', attempts: 2, possible_duplicate: true });
    expect(header(mail, 'x-posthorn-possible-duplicate')).toBe('yes');
    expect(mail?.email.text).toContain('you may have this report already');
    expect(mail?.email.html).toContain('you may have this report already');
  });

  it('repeats an attempt that its process left behind, marked only if the content was on its way', async () => {
    catcher.faults = { content: () => '451 4.3.0 Later' };
    await reports.run();
    catcher.faults = {};
    await database.dataSource.query(
      `UPDATE reports SET status = 'sending', attempts = 2, handed_over_at = NULL`,
    );
    await reports.run();
    expect(await only()).toMatchObject({ status: 'sent', attempts: 3, possible_duplicate: false });

    await database.dataSource.query(
      `UPDATE reports SET status = 'sending', sent_at = NULL, accepted = '{}', handed_over_at = now()`,
    );
    await reports.run();
    expect(await only()).toMatchObject({ status: 'sent', attempts: 4, possible_duplicate: true });
    const [first, second] = catcher.mails;
    expect(second?.email.messageId).toBe(first?.email.messageId);
    expect(header(first, 'x-posthorn-possible-duplicate')).toBeUndefined();
    expect(header(second, 'x-posthorn-possible-duplicate')).toBe('yes');
  });

  it('hands nothing over when that cannot be written down first', async () => {
    await reports.reports.raise();
    catcher.faults = {
      recipient: async () => {
        // The attempt is somebody else's now.
        await database.dataSource.query('UPDATE reports SET attempts = attempts + 1');
        return undefined;
      },
    };
    while (await reports.reports.sendMail());
    expect(catcher.mails).toEqual([]);
    expect(await only()).toMatchObject({ handed_over_at: null });
  });

  it('keeps reports that cannot be sent: no mail server, or nobody to send them to', async () => {
    reports = await open({ smtpUrl: undefined });
    await reports.run();
    expect(await only()).toMatchObject({
      status: 'kept',
      attempts: 0,
      error: 'SMTP_URL is not set',
    });
    expect((await only()).content).toMatchObject({ kind: 'daily', date: '2030-07-02' });

    reports = await open({ recipients: [] });
    await reports.pass(24 * HOUR).run();
    const rows = await reports.rows();
    expect(rows.map(({ status, error }) => [status, error])).toEqual([
      ['kept', 'SMTP_URL is not set'],
      ['kept', 'There are no recipients'],
    ]);
    expect(catcher.mails).toEqual([]);
  });
});

function header(
  mail: { email: { headers: { key: string; value: string }[] } } | undefined,
  name: string,
): string | undefined {
  return mail?.email.headers.find(({ key }) => key === name)?.value;
}

async function listen(server: Server): Promise<{ url: string; stop: () => Promise<void> }> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
      }),
  };
}
