import { ContinueFilter } from './interim-answers.js';

const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';
const ANSWER = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';

/** What the parser gets of `text` when it arrives in pieces of `size` bytes. */
function passed(text: string, size = text.length): string {
  const filter = new ContinueFilter();
  filter.requestBegins();
  const parts: string[] = [];
  for (let at = 0; at < text.length; at += size) {
    const chunk = Buffer.from(text.slice(at, at + size), 'latin1');
    const rest = filter.awaiting ? filter.pass(chunk) : chunk;
    if (rest) parts.push(rest.toString('latin1'));
  }
  return parts.join('');
}

describe('the filter of interim answers', () => {
  const sizes = [1, 2, 7, 13, 26, 1_000];

  it.each(sizes)('takes 100 Continue out, however it is cut: %i bytes at a time', (size) => {
    expect(passed(CONTINUE + ANSWER, size)).toBe(ANSWER);
    expect(passed(CONTINUE + CONTINUE + ANSWER, size)).toBe(ANSWER);
    expect(passed(`HTTP/1.0 100\r\nx: y\r\n\r\n${ANSWER}`, size)).toBe(ANSWER);
  });

  it.each([
    ANSWER,
    'HTTP/1.1 103 Early Hints\r\n\r\n',
    'HTTP/1.1 1000 Odd\r\n\r\n',
    '220 mail.example ESMTP\r\n',
    `HTTP/1.1 200 OK\r\n\r\n${CONTINUE}`,
  ])('passes on everything else as it came: %j', (text) => {
    for (const size of sizes) expect(passed(text, size)).toBe(text);
  });

  it('leaves a head without end, and heads without end, to the parser, which refuses them', () => {
    const endless = `HTTP/1.1 100 Continue\r\nx: ${'y'.repeat(20_000)}`;
    expect(passed(endless, 1_000)).toBe(endless);
    expect(passed(CONTINUE.repeat(17) + ANSWER)).toBe(CONTINUE + ANSWER);
  });
});
