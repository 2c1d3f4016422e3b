import { BOTH, scenarios } from '../scenario.js';

const TEXTS = [
  'я'.repeat(4_096),
  '👩‍👩‍👧‍👦🏳️‍🌈🇷🇺'.repeat(200),
  '😀'.repeat(4_096),
  'שלום עולם — مرحبا بالعالم \u202Eabc\u202C',
  'tabs\tand\nlines\r\nand "quotes" \\ and \u2028 \u2029 \u0001 <b>&amp;</b>',
  ' leading and trailing ',
  'e\u0301 is not é, and \uFB01 is no fi',
];

export const textScenarios = scenarios({
  name: 'texts-of-every-kind',
  holds: 'texts of 4,096 characters, emoji and right-to-left arrive byte for byte, 503 or not',
  backends: BOTH,
  short: true,
  run: async (trial) => {
    await trial.clients(3);
    await trial.provider.faults({
      rules: [{ fault: 'status', status: 503, firstRequests: 1, times: 3 }],
    });
    const mailings = new Map<number, string>();
    for (const text of TEXTS) mailings.set(await trial.mailing({ text }), text);
    for (const mailing of mailings.keys()) await trial.finished(mailing);
    const rows = await trial.sql<{ id: number; mailingId: number }>(
      'SELECT id, mailing_id AS "mailingId" FROM messages',
    );
    const received = new Map((await trial.provider.received()).map((got) => [got.id, got]));
    for (const { id, mailingId } of rows) {
      const text = mailings.get(mailingId) ?? '';
      const same = Buffer.from(received.get(id)?.text ?? '').equals(Buffer.from(text));
      trial.expect(same, `message ${id} did not arrive as it was written`);
    }
  },
});
