import type { AddressInfo } from 'node:net';
import { createTestDatabase, HeldReports, type TestDatabase } from '@app/testkit';
import { SMTPServer } from 'smtp-server';

const HOUR = 3_600_000;

describe('a mail server with TLS and a login', () => {
  let database: TestDatabase;
  let server: SMTPServer;
  let port: number;
  const taken: { user: unknown; secure: boolean }[] = [];

  beforeAll(async () => {
    database = await createTestDatabase();
    // Its own certificate, which is good enough here, comes with a warning.
    const warning = jest.spyOn(console, 'error').mockImplementation(() => undefined);
    server = new SMTPServer({
      secure: true,
      onAuth: ({ username, password }, _session, done) => {
        const known = username === 'post@example.com' && password === 'p@ss/wörd';
        if (known) done(null, { user: username });
        else done(Object.assign(new Error('5.7.8 Not you'), { responseCode: 535 }));
      },
      onData: (stream, session, done) => {
        taken.push({ user: session.user, secure: session.secure });
        stream.on('end', () => {
          done();
        });
        stream.resume();
      },
    });
    warning.mockRestore();
    server.on('error', () => undefined);
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    port = (server.server.address() as AddressInfo).port;
  });
  afterAll(async () => {
    await new Promise<void>((resolve) => {
      server.close(resolve);
    });
    await database.drop();
  });

  async function attempt(smtpUrl: string, now: Date) {
    const reports = new HeldReports({
      dataSource: database.dataSource,
      now: now.toISOString(),
      smtpUrl,
    });
    await reports.since('2030-07-01T12:00:00Z');
    await reports.run();
    const [row] = await reports.rows();
    reports.close();
    return row;
  }

  it('is asked again when certificate or password are wrong, for somebody will correct the settings', async () => {
    const due = new Date('2030-07-02T06:00:00Z');
    const user = 'post%40example.com:p%40ss%2Fw%C3%B6rd';
    const untrusted = await attempt(`smtps://${user}@127.0.0.1:${port}`, due);
    expect(untrusted).toMatchObject({ status: 'pending', attempts: 1 });
    expect(untrusted?.error).toMatch(/certificate/);

    const trusting = `127.0.0.1:${port}?tls.rejectUnauthorized=false`;
    const wrong = await attempt(`smtps://post%40example.com:no@${trusting}`, later(due, 1));
    expect(wrong).toMatchObject({ status: 'pending', attempts: 2, possible_duplicate: false });
    expect(wrong?.answer).toMatch(/^535 /);
    expect(taken).toEqual([]);

    const right = await attempt(`smtps://${user}@${trusting}`, later(due, 2));
    expect(right).toMatchObject({ status: 'sent', attempts: 3 });
    expect(taken).toEqual([{ user: 'post@example.com', secure: true }]);
  });
});

function later(instant: Date, hours: number): Date {
  return new Date(instant.getTime() + hours * HOUR);
}
