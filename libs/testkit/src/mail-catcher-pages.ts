import type { IncomingMessage, ServerResponse } from 'node:http';
import type { CaughtMail } from './mail-catcher.js';

interface Answer {
  status?: number;
  type: string;
  body: string | Buffer;
  headers?: Record<string, string>;
}

/** A mail must not reach out of its frame, whatever is in it. */
const MAIL_POLICY =
  "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:";
const PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'";

/**
 * `/` lists what was caught, `/mails` the same as JSON, `/mails/3` shows one, `/mails/3/html`,
 * `/text`, `/raw` and `/attachments/0` are its parts; `last` in place of the number is the newest.
 */
export function answerPage(
  mails: readonly CaughtMail[],
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
  const answer = answerTo(mails, path) ?? {
    status: 404,
    ...page('Nothing here', '<p>There is no such mail.</p>'),
  };
  response.writeHead(answer.status ?? 200, {
    'content-type': answer.type,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...answer.headers,
  });
  response.end(answer.body);
}

function answerTo(mails: readonly CaughtMail[], path: string): Answer | undefined {
  if (path === '/') return list(mails);
  if (path === '/mails')
    return { type: 'application/json', body: JSON.stringify(mails.map(summary)) };
  const [, number, part, index] =
    /^\/mails\/(\d+|last)(?:\/(html|text|raw|attachments)(?:\/(\d+))?)?$/.exec(path) ?? [];
  const mail =
    number === 'last' ? mails.at(-1) : mails.find((one) => one.number === Number(number));
  return mail && partOf(mail, part, Number(index));
}

function partOf(mail: CaughtMail, part: string | undefined, index: number): Answer | undefined {
  const { email } = mail;
  switch (part) {
    case undefined:
      return show(mail);
    case 'html':
      return {
        type: 'text/html; charset=utf-8',
        // Its links open beside the frame, as they do in a mail client.
        body: (email.html ?? '').replace(/<head>/i, '$&<base target="_blank">'),
        headers: { 'content-security-policy': MAIL_POLICY },
      };
    case 'text':
      return { type: 'text/plain; charset=utf-8', body: email.text ?? '' };
    case 'raw':
      return { type: 'text/plain; charset=utf-8', body: mail.raw };
    default: {
      const attachment = email.attachments[index];
      if (!attachment) return undefined;
      const name = encodeURIComponent(attachment.filename ?? 'attachment');
      return {
        type: 'application/octet-stream',
        body: bytesOf(attachment.content),
        headers: { 'content-disposition': `attachment; filename*=UTF-8''${name}` },
      };
    }
  }
}

function summary({ number, receivedAt, from, to, email }: CaughtMail) {
  const attachments = email.attachments.map(({ filename }) => filename);
  return { number, receivedAt, from, to, subject: email.subject ?? '', attachments };
}

function list(mails: readonly CaughtMail[]): Answer {
  const rows = mails.toReversed().map(
    ({ number, receivedAt, to, email }) =>
      `<tr><td><a href="/mails/${number}">${escape(email.subject ?? '(no subject)')}</a></td>
<td>${escape(to.join(', '))}</td><td>${escape(receivedAt.toISOString())}</td></tr>`,
  );
  const table = `<table><tr><th>Subject</th><th>To</th><th>Received</th></tr>${rows.join('\n')}</table>`;
  return page('Caught mail', rows.length > 0 ? table : '<p>Nothing was caught yet.</p>');
}

function show(mail: CaughtMail): Answer {
  const { number, email, from, to } = mail;
  const attachments = email.attachments.map(
    ({ filename }, index) =>
      `<a href="/mails/${number}/attachments/${index}">${escape(filename ?? 'attachment')}</a>`,
  );
  return page(
    email.subject ?? '(no subject)',
    `<p><a href="/">All mails</a> · <a href="/mails/${number}/html">HTML</a> ·
<a href="/mails/${number}/text">Text</a> · <a href="/mails/${number}/raw">Source</a></p>
<p>From ${escape(from)} to ${escape(to.join(', '))}</p>
${attachments.length > 0 ? `<p>Attached: ${attachments.join(', ')}</p>` : ''}
<iframe src="/mails/${number}/html" title="HTML"></iframe>
<h2>Text</h2><pre>${escape(email.text ?? '')}</pre>`,
  );
}

function page(title: string, body: string): Answer {
  return {
    type: 'text/html; charset=utf-8',
    headers: { 'content-security-policy': PAGE_POLICY },
    body: `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${escape(title)}</title>
<style>body{font:15px/1.5 system-ui,sans-serif;max-width:960px;margin:2em auto;padding:0 1em;color:#1b2433}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.4em .8em .4em 0;border-bottom:1px solid #e4e8ee}
iframe{width:100%;height:1100px;border:1px solid #e4e8ee;border-radius:8px}pre{white-space:pre-wrap;background:#f6f7f9;padding:1em}</style>
</head><body><h1>${escape(title)}</h1>${body}</body></html>`,
  };
}

function bytesOf(content: string | ArrayBuffer | Uint8Array): Buffer {
  return typeof content === 'string'
    ? Buffer.from(content)
    : Buffer.from(content instanceof ArrayBuffer ? new Uint8Array(content) : content);
}

function escape(text: string): string {
  const escapes: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text.replaceAll(/[&<>"]/g, (character) => escapes[character] ?? '');
}
