import { connect } from 'node:net';
import {
  type Answer,
  type ApiCaller,
  createTestDatabase,
  newPhone,
  type Problem,
  type RunningApi,
  startApi,
  type TestDatabase,
} from '@app/testkit';

const GOOD = { phone: '79261234567', tags: ['vip'], timezone: 'Europe/Moscow' };

describe('bad input', () => {
  let database: TestDatabase;
  let api: RunningApi;
  let admin: ApiCaller;
  let before: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    api = await startApi(database.url);
    ({ admin } = api);
    await admin.post('/clients', { phone: newPhone(), tags: ['kept'] });
    before = await everythingWritten();
  });
  afterEach(async () => {
    expect(await everythingWritten()).toBe(before);
  });
  afterAll(async () => {
    await api.process.stop();
    await database.drop();
  });

  async function everythingWritten(): Promise<string> {
    return JSON.stringify(
      await database.dataSource.query(`
        SELECT (SELECT json_agg(c ORDER BY id) FROM clients c) AS clients,
          (SELECT json_agg(t ORDER BY id) FROM tags t) AS tags,
          (SELECT json_agg(l) FROM client_tags l) AS links,
          (SELECT count(*) FROM mailings) AS mailings, (SELECT count(*) FROM api_keys) AS keys`),
    );
  }

  function expectProblem(answer: Answer<Problem>, status: number, paths: string[]): void {
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    const { type, title, detail } = answer.body;
    expect(answer.body.status).toBe(status);
    for (const text of [type, title, detail]) expect(text).toEqual(expect.any(String));
    expect(answer.body.errors.map((error) => error.path).sort()).toEqual([...paths].sort());
    for (const { message } of answer.body.errors) expect(message).not.toBe('');
  }

  it.each<[string, unknown, string[]]>([
    ['no phone', { tags: [] }, ['phone']],
    ['a phone that is too short', { ...GOOD, phone: '7926123456' }, ['phone']],
    ['a phone that is too long', { ...GOOD, phone: '792612345678' }, ['phone']],
    ['a phone that does not begin with 7', { ...GOOD, phone: '89261234567' }, ['phone']],
    ['a phone with a plus', { ...GOOD, phone: '+79261234567' }, ['phone']],
    ['a phone with a line break after it', { ...GOOD, phone: '79261234567\n' }, ['phone']],
    ['a phone in other digits', { ...GOOD, phone: '7٩٢٦١٢٣٤٥٦٧' }, ['phone']],
    ['a phone that is a number', { ...GOOD, phone: 79261234567 }, ['phone']],
    ['a phone that is null', { ...GOOD, phone: null }, ['phone']],
    ['an unknown timezone', { ...GOOD, timezone: 'Mars/Olympus' }, ['timezone']],
    ['an offset for a timezone', { ...GOOD, timezone: '+03:00' }, ['timezone']],
    ['a timezone that is null', { ...GOOD, timezone: null }, ['timezone']],
    ['an operator code of letters', { ...GOOD, operatorCode: '9a6' }, ['operatorCode']],
    ['an operator code that is a number', { ...GOOD, operatorCode: 926 }, ['operatorCode']],
    ['tags that are no list', { ...GOOD, tags: 'vip' }, ['tags']],
    ['tags of which some are wrong', { ...GOOD, tags: ['ok', '', 3, ' '] }, [1, 2, 3].map(tagAt)],
    ['a tag that is too long', { ...GOOD, tags: ['a'.repeat(101)] }, ['tags[0]']],
    ['too many tags', { ...GOOD, tags: Array.from({ length: 101 }, (_, i) => `t${i}`) }, ['tags']],
    ['unknown fields', { ...GOOD, id: 5, admin: true }, ['id', 'admin']],
    [
      'everything wrong at once',
      { phone: 'x', timezone: 'x', operatorCode: 'x', tags: [1], x: 1 },
      ['phone', 'timezone', 'operatorCode', 'tags[0]', 'x'],
    ],
    ['a NUL character in a phone', { ...GOOD, phone: '7926\u00001234567' }, ['phone']],
    ['NUL characters in tags', { ...GOOD, tags: ['a', 'b\u0000', '\u0000'] }, [1, 2].map(tagAt)],
    ['half of a surrogate pair', { ...GOOD, tags: ['\ud83d'] }, ['tags[0]']],
    ['a list for a body', [GOOD], []],
    ['a word for a body', 'true', []],
  ])('is refused on POST, and every wrong field named: %s', async (_, body, paths) => {
    expectProblem(await admin.post('/clients', body), 400, paths);
  });

  it.each<[string, unknown, string[]]>([
    ['null', { phone: null, tags: null, timezone: null }, ['phone', 'tags', 'timezone']],
    ['a wrong phone', { phone: '7' }, ['phone']],
    ['an unknown field', { name: 'x' }, ['name']],
  ])('is refused on PATCH: %s', async (_, body, paths) => {
    expectProblem(await admin.patch('/clients/1', body), 400, paths);
  });

  it.each([
    ['cut off', '{"phone":"79261234567"'],
    ['with a NUL byte in it', '{"phone":"7926\u00001234567"}'],
    ['that is not JSON', 'phone=79261234567'],
  ])('is refused: JSON %s', async (_, body) => {
    expectProblem(await admin.post('/clients', body), 400, []);
  });

  it('is refused: no body at all', async () => {
    expectProblem(await admin.post('/clients', ''), 400, ['phone']);
    const type = { 'content-type': 'application/json' };
    expectProblem(await admin.call('POST', '/clients', undefined, type), 400, ['phone']);
  });

  it('is refused: a body of more than a megabyte', async () => {
    const body = { ...GOOD, tags: ['a'.repeat(1_100_000)] };
    expectProblem(await admin.post('/clients', body), 413, []);
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/xml', 'nonsense'])(
    'is refused: a body of the type %s',
    async (type) => {
      const answer = await admin.call('POST', '/clients', JSON.stringify(GOOD), {
        'content-type': type,
      });
      expectProblem(answer, 415, []);
    },
  );

  it.each<[string, number, string[]]>([
    ['/clients/abc', 400, ['id']],
    ['/clients/1e3', 400, ['id']],
    ['/clients/0x10', 400, ['id']],
    ['/clients/-1', 400, ['id']],
    ['/clients/0', 400, ['id']],
    ['/clients/1%00', 400, ['path']],
    ['/clients/%zz', 400, []],
    ['/clients/4711', 404, []],
    ['/clients/9007199254740993', 404, []],
    [`/clients/${'9'.repeat(200)}`, 404, []],
    ['/tags/4711', 404, []],
    ['/tags/3000000000', 404, []],
    ['/nowhere', 404, []],
    ['/clients/1/nothing', 404, []],
    ['/clients?limit=0', 400, ['limit']],
    ['/clients?limit=501', 400, ['limit']],
    ['/clients?limit=ten', 400, ['limit']],
    ['/clients?limit=', 400, ['limit']],
    ['/clients?limit=1&limit=2', 400, ['limit']],
    ['/clients?cursor=nonsense', 400, ['cursor']],
    ['/clients?cursor=WyJhIl0', 400, ['cursor']],
    ['/clients?color=red', 400, ['color']],
    ['/clients?phone=1&timezone=x&operatorCode=y', 400, ['phone', 'timezone', 'operatorCode']],
    ['/clients?tag=a%00b', 400, ['tag']],
    ['/clients/1/messages?limit=x', 400, ['limit']],
  ])('in a URL is refused: %s is %i', async (path, status, paths) => {
    expectProblem(await admin.get(path), status, paths);
  });

  it('is refused even where it is not HTTP', async () => {
    const { hostname, port } = new URL(admin.url);
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(port), hostname, () => socket.write('HELO there\r\n\r\n'));
      let text = '';
      socket.on('data', (chunk) => (text += chunk.toString()));
      socket.once('close', () => {
        resolve(text);
      });
      socket.once('error', reject);
    });
    expect(answer).toMatch(
      /^HTTP\/1\.1 400 Bad Request\r\nContent-Type: application\/problem\+json/,
    );
  });

  it('is refused: headers without end', async () => {
    const answer = await admin.get('/clients', { 'x-long': 'a'.repeat(20_000) });
    expectProblem(answer, 431, []);
  });

  it('leaves no trace of our inside in an answer', async () => {
    const answers = await Promise.all([
      admin.get('/clients/%zz'),
      admin.post('/clients', '{'),
      admin.get('/clients?cursor=x'),
      admin.put('/clients/4711', GOOD),
    ]);
    for (const { body } of answers)
      expect(JSON.stringify(body)).not.toMatch(/node_modules|\.[jt]s\b|\n +at /);
  });
});

function tagAt(index: number): string {
  return `tags[${index}]`;
}
