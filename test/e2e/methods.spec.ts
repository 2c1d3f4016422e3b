import { request } from 'node:http';
import {
  type ApiCaller,
  createTestDatabase,
  type RunningApi,
  startApi,
  type TestDatabase,
} from '@app/testkit';

/** What a server can be asked with; `CONNECT` is for proxies. */
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND'];

describe('a method that a route does not have', () => {
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

  /** `fetch` refuses to send some methods. */
  function ask(
    method: string,
    path: string,
  ): Promise<{ status: number; allow?: string; body: string }> {
    return new Promise((resolve, reject) => {
      const headers = { token: 'test-admin-key-0123456789' };
      const call = request(admin.url + path, { method, headers, agent: false }, (answer) => {
        let body = '';
        answer.setEncoding('utf8');
        answer.on('data', (part: string) => (body += part));
        answer.on('end', () => {
          resolve({ status: answer.statusCode ?? 0, allow: answer.headers.allow, body });
        });
      });
      call.on('error', reject).end();
    });
  }

  it('is 405, and Allow names those that it has, on every documented path', async () => {
    const { body } = await admin.get<{ paths: Record<string, object> }>('/docs-json');
    expect(Object.keys(body.paths).length).toBeGreaterThan(20);
    for (const [path, item] of Object.entries(body.paths)) {
      const own = Object.keys(item).map((method) => method.toUpperCase());
      if (own.includes('GET')) own.push('HEAD');
      const allow = own.sort().join(', ');
      const url = path.replaceAll(/\{\w+\}/g, '4711');
      for (const method of METHODS.filter((each) => !own.includes(each))) {
        for (const spelled of [url, `${url}/`, `${url}?limit=1`]) {
          const answer = await ask(method, spelled);
          expect([method, spelled, answer.status, answer.allow]).toEqual([
            method,
            spelled,
            405,
            allow,
          ]);
          if (method === 'HEAD') continue;
          expect(JSON.parse(answer.body)).toMatchObject({
            type: 'urn:posthorn:problem:method_not_allowed',
            status: 405,
            detail: `${method} is not possible here, only ${allow}`,
          });
        }
      }
    }
  });

  it.each([
    ['POST', '/health/ready', 'GET, HEAD'],
    ['DELETE', '/docs', 'GET, HEAD'],
    ['PUT', '/mailings/preview', 'POST'],
    ['GET', '/mailings/preview', 'POST'],
    ['DELETE', '/mailings/statistics', 'GET, HEAD'],
  ])('is 405 for %s %s', async (method, path, allow) => {
    expect(await ask(method, path)).toMatchObject({ status: 405, allow });
  });

  it.each(['/', '/nothing', '/mailings/1/nothing', '/clients//messages', '/mailings/1/pause/now'])(
    'is 404 for %s, which has none at all',
    async (path) => {
      expect(await ask('PUT', path)).toMatchObject({ status: 404, allow: undefined });
    },
  );

  it('is told before the body is read', async () => {
    const headers = { 'content-type': 'text/plain' };
    expect((await admin.call('PUT', '/clients', 'x', headers)).status).toBe(405);
  });

  it('says nothing without a key about what a key would see', async () => {
    expect((await admin.as(null).get('/mailings/preview')).status).toBe(401);
  });
});
