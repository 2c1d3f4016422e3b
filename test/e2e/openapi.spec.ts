import { readFileSync } from 'node:fs';
import SwaggerParser from '@apidevtools/swagger-parser';
import {
  type ApiCaller,
  createTestDatabase,
  type RunningApi,
  startApi,
  type TestDatabase,
} from '@app/testkit';

interface Media {
  schema?: { $ref?: string };
  example?: unknown;
}
interface Operation {
  operationId: string;
  summary?: string;
  tags?: string[];
  parameters?: { name: string; in: string; description?: string }[];
  requestBody?: { content: Record<string, Media> };
  responses: Record<string, Response | { $ref: string }>;
}
interface Response {
  description: string;
  content?: Record<string, Media>;
}
interface Property {
  type?: string | string[];
  format?: string;
}
interface Document {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: {
    schemas: Record<string, { properties?: Record<string, Property> }>;
    responses: Record<string, Response>;
    securitySchemes: Record<string, unknown>;
  };
  tags: { name: string; description: string }[];
  security: Record<string, unknown>[];
}

/** What is served and deliberately not part of the documented API. */
const NOT_DOCUMENTED = [
  /^GET \/docs(-json|-yaml)?(\/|$)/,
  /^GET \/redoc(\/|$)/,
  /^GET \/health\/(live|ready)$/,
  /^GET \/metrics$/,
  /^\w+ \/queues(\/|$)/,
];
const PROBLEM = '#/components/schemas/ProblemDto';

describe('the API documentation', () => {
  let database: TestDatabase;
  let api: RunningApi;
  let admin: ApiCaller;
  let document: Document;

  beforeAll(async () => {
    database = await createTestDatabase();
    api = await startApi(database.url, { LOG_LEVEL: 'debug' });
    ({ admin } = api);
    document = (await admin.as(null).get<Document>('/docs-json')).body;
  });
  afterAll(async () => {
    await api.process.stop();
    await database.drop();
  });

  const operations = () =>
    Object.entries(document.paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]) => ({
        method: method.toUpperCase(),
        path,
        route: `${method.toUpperCase()} ${path}`,
        operation,
      })),
    );

  /** What many operations answer is written once in the components. */
  const responsesOf = ({ responses }: Operation): [string, Response][] =>
    Object.entries(responses).map(([status, response]) => {
      if (!('$ref' in response)) return [status, response];
      const shared = document.components.responses[response.$ref.split('/').at(-1) ?? ''];
      if (!shared) throw new Error(`There is no ${response.$ref}`);
      return [status, shared];
    });

  /** `GET /clients/{id}`, as the server itself says; HEAD comes with every GET. */
  function servedRoutes(): string[] {
    const lines = api.process.logs.filter((line) => line.includes('"context":"Routes"'));
    const routes = lines.map((line) => (JSON.parse(line) as { msg: string }).msg);
    const documentable = routes.filter((route) => !route.startsWith('HEAD '));
    return [...new Set(documentable)].map((route) => route.replaceAll(/:(\w+)/g, '{$1}'));
  }

  it('is the one in the repository: `npm run openapi` writes it again', () => {
    const committed = JSON.parse(readFileSync('docs/openapi.json', 'utf8')) as Document;
    expect(committed).toEqual(document);
  });

  it('is a valid OpenAPI document', async () => {
    // The parser resolves the references in place.
    const copy = structuredClone(document) as unknown as Parameters<
      typeof SwaggerParser.validate
    >[0];
    await expect(SwaggerParser.validate(copy)).resolves.toBeDefined();
    const ids = operations().map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(document.openapi).toBe('3.1.1');
  });

  it('has every route that is served, and no other', () => {
    const served = servedRoutes();
    expect(served).toContain('POST /clients');
    const hidden = served.filter((route) => NOT_DOCUMENTED.some((pattern) => pattern.test(route)));
    const expected = served.filter((route) => !hidden.includes(route)).sort();
    expect(
      operations()
        .map(({ route }) => route)
        .sort(),
    ).toEqual(expected);
    // Every exception is one for something.
    for (const pattern of NOT_DOCUMENTED) {
      expect(hidden.some((route) => pattern.test(route))).toBe(true);
    }
  });

  it('gives every answer and every body a description, a schema and an example', () => {
    const faults: string[] = [];
    for (const { route, operation } of operations()) {
      const { length } = operation.summary ?? '';
      if (length === 0 || length > 80) faults.push(`${route}: a summary of ${length} characters`);
      for (const [status, { description, content }] of responsesOf(operation)) {
        if (description === '') faults.push(`${route} ${status}: no description`);
        if (status !== '204') faults.push(...faultsOf(`${route} ${status}`, content));
      }
      if (operation.requestBody) {
        faults.push(...faultsOf(`${route} body`, operation.requestBody.content));
      }
    }
    expect(faults).toEqual([]);
  });

  function faultsOf(where: string, content: Record<string, Media> | undefined): string[] {
    const media = Object.values(content ?? {});
    if (media.length === 0) return [`${where}: no content`];
    return media.flatMap(({ schema, example }) => [
      ...(schema ? [] : [`${where}: no schema`]),
      ...(example === undefined ? [`${where}: no example`] : []),
    ]);
  }

  it('describes every refusal as a problem whose example has its status', () => {
    for (const { route, operation } of operations()) {
      const refusals = responsesOf(operation).filter(([status]) => status >= '400');
      const statuses = refusals.map(([status]) => status);
      expect([route, statuses]).toEqual([route, expect.arrayContaining(['401', '403', '503'])]);
      for (const [status, { content }] of refusals) {
        const media = content?.['application/problem+json'];
        expect(media?.schema?.$ref).toBe(PROBLEM);
        expect(media?.example).toMatchObject({ status: Number(status) });
      }
    }
  });

  it('has patterns that every regular expression engine reads the same', () => {
    const patterns = [...JSON.stringify(document).matchAll(/"pattern":("(?:[^"\\]|\\.)*")/g)].map(
      ([, text]) => JSON.parse(text ?? '""') as string,
    );
    expect(patterns.length).toBeGreaterThan(3);
    // Groups with a question mark, classes by name or number, and [^] exist in some of them only.
    const own = patterns.filter((pattern) => /\(\?|\\[pPuUxkKcCbB]|\[\^?\]/.test(pattern));
    expect(own).toEqual([]);
    expect(patterns.filter((pattern) => !/^\^.*\$$/.test(pattern))).toEqual([]);
    expect(patterns.filter((pattern) => pattern.includes('\\d'))).toEqual([]);
  });

  it('has 64 bits for every id', () => {
    const ids = Object.entries(document.components.schemas).flatMap(([name, { properties = {} }]) =>
      Object.entries(properties)
        .filter(([field]) => /^(id|\w+Id)$/.test(field))
        .map(([field, { type, format }]) => [`${name}.${field}`, [type].flat()[0], format]),
    );
    expect(ids.length).toBeGreaterThan(10);
    expect(ids).toEqual(ids.map(([name]) => [name, 'integer', 'int64']));
  });

  it('describes every tag, and uses each', () => {
    const used = new Set(operations().flatMap(({ operation }) => operation.tags ?? []));
    expect(document.tags.map(({ name }) => name).sort()).toEqual([...used].sort());
    for (const { description } of document.tags) expect(description).not.toBe('');
  });

  it('declares both ways to send a key', () => {
    expect(document.components.securitySchemes).toEqual({
      token: { type: 'apiKey', in: 'header', name: 'token' },
      bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'API key' },
    });
    expect(document.security).toEqual([{ token: [] }, { bearer: [] }]);
  });

  it('knows every way in which the routes say no', async () => {
    const viewer = await admin.post<{ token: string }>('/tokens', { name: 'v', role: 'viewer' });
    const asViewer = admin.as(viewer.body.token);
    for (const { method, path, route, operation } of operations()) {
      const url = path.replaceAll(/\{\w+\}/g, '4711');
      const hasBody = operation.requestBody !== undefined;
      const answers = [
        await admin.as(null).call(method, url),
        await asViewer.call(method, url, hasBody ? '{}' : undefined),
        await admin.call(method, `${url}?nonsense=%00`),
        ...(hasBody
          ? [
              await admin.call(method, url, { nonsense: true }),
              await admin.call(method, url, '{'),
              await admin.call(method, url, `"${'a'.repeat(1_100_000)}"`),
              await admin.call(method, url, 'text', { 'content-type': 'text/plain' }),
            ]
          : [await admin.call(method, url)]),
      ];
      for (const { status } of answers) {
        expect([route, Object.keys(operation.responses)]).toEqual([
          route,
          expect.arrayContaining([String(status)]),
        ]);
      }
      const [withoutKey] = answers;
      expect([route, withoutKey?.status]).toEqual([route, 401]);
    }
  });

  it('is shown by Swagger UI and by ReDoc, with nothing from elsewhere', async () => {
    const anyone = admin.as(null);
    for (const path of ['/docs', '/redoc']) {
      const { status, headers, body } = await anyone.get<string>(path);
      expect(status).toBe(200);
      expect(headers.get('content-type')).toContain('text/html');
      expect(body).not.toMatch(/(src|href)="(https?:)?\/\//);
      const files = [...body.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] ?? '');
      expect(files.length).toBeGreaterThan(0);
      for (const file of files) {
        const { pathname } = new URL(file, `${anyone.url}${path}`);
        expect([file, (await anyone.get<string>(pathname)).status]).toEqual([file, 200]);
      }
    }
    const bundle = await anyone.get<string>('/redoc/redoc.standalone.js');
    expect(bundle.headers.get('content-type')).toContain('javascript');
    expect(bundle.body.length).toBeGreaterThan(500_000);
    expect((await anyone.get<string>('/redoc')).headers.get('content-security-policy')).toContain(
      "default-src 'self'",
    );
  });
});
