import { createTransport, type Transporter } from 'nodemailer';
import { MailCatcher } from './mail-catcher.js';

describe('the mail catcher', () => {
  let catcher: MailCatcher;
  let transport: Transporter;

  beforeAll(async () => {
    catcher = await MailCatcher.start({ keep: 3 });
    transport = createTransport(catcher.smtpUrl);
  });
  afterAll(async () => {
    transport.close();
    await catcher.stop();
  });

  const send = (subject: string) =>
    transport.sendMail({
      from: 'a@example.com',
      to: 'b@example.com',
      subject,
      text: `plain ${subject}`,
      html: `<script>alert(1)</script><b>${subject}</b>`,
      attachments: [{ filename: 'итог.csv', content: 'x;y' }],
    });
  const get = (path: string) => fetch(catcher.url + path);

  it('shows each mail with its parts, and lets nothing of a mail run', async () => {
    await send('<i>Привет</i> 🎉');
    const list = await (await get('/')).text();
    expect(list).toContain('&lt;i&gt;Привет&lt;/i&gt; 🎉');
    expect(await (await get('/mails')).json()).toMatchObject([
      { number: 1, to: ['b@example.com'], subject: '<i>Привет</i> 🎉', attachments: ['итог.csv'] },
    ]);
    expect(await (await get('/mails/1')).text()).not.toContain('<script>');
    expect(await (await get('/mails/1/text')).text()).toContain('plain <i>Привет</i> 🎉');
    expect(await (await get('/mails/last/raw')).text()).toContain('Subject: =?UTF-8?');
    const page = await get('/mails/1/html');
    expect(await page.text()).toContain('<script>');
    expect(page.headers.get('content-security-policy')).toMatch(/^sandbox .*default-src 'none'/);
    const attachment = await get('/mails/1/attachments/0');
    expect(attachment.headers.get('content-disposition')).toContain(encodeURIComponent('итог.csv'));
    expect(await attachment.text()).toBe('x;y');
    for (const path of ['/mails/2', '/mails/1/attachments/1', '/x']) {
      expect((await get(path)).status).toBe(404);
    }
  });

  it('keeps the newest and refuses what it is told to', async () => {
    for (const subject of ['2', '3', '4']) await send(subject);
    expect(catcher.mails.map(({ number }) => number)).toEqual([2, 3, 4]);
    catcher.faults = { recipient: () => '550 5.1.1 Nobody here' };
    await expect(send('5')).rejects.toMatchObject({ responseCode: 550 });
    catcher.faults = { content: () => '451 4.3.0 Full' };
    await expect(send('6')).rejects.toMatchObject({ responseCode: 451 });
    expect(catcher.mails).toHaveLength(3);
  });
});
