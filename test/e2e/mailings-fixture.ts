import {
  createTestDatabase,
  type RunningProcess,
  startProcess,
  type TestDatabase,
} from '@app/testkit';

const ADMIN = 'the admin key of this test';

export interface Answer {
  status: number;
  headers: Headers;
  /** The parsed JSON; undefined without a body. */
  body: unknown;
}

/** A real api process on a database of its own. */
export interface ApiUnderTest {
  database: TestDatabase;
  process: RunningProcess;
  call(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Answer>;
  close(): Promise<void>;
}

export async function startApi(environment: Record<string, string> = {}): Promise<ApiUnderTest> {
  const database = await createTestDatabase();
  const process = await startProcess('api', {
    DATABASE_URL: database.url,
    API_HOST: '127.0.0.1',
    API_PORT: '0',
    ADMIN_TOKEN: ADMIN,
    LOG_LEVEL: 'info',
    ...environment,
  });
  return {
    database,
    process,
    call: async (method, path, body, headers = {}) => {
      const answer = await fetch(process.url + path, {
        method,
        headers: {
          token: ADMIN,
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const text = await answer.text();
      const parsed: unknown = text === '' ? undefined : JSON.parse(text);
      return { status: answer.status, headers: answer.headers, body: parsed };
    },
    close: async () => {
      await process.stop();
      await database.drop();
    },
  };
}

/** An instant `minutes` from now, as a caller in Moscow would write it. */
export function inMinutes(minutes: number): string {
  const moscow = new Date(Date.now() + (minutes + 180) * 60_000);
  return moscow.toISOString().replace('Z', '+03:00');
}

/** A body that `POST /mailings` takes. */
export function newMailing(fields: Record<string, unknown> = {}): Record<string, unknown> {
  return { name: 'sale', text: 'hello', endAt: inMinutes(60), ...fields };
}

/** The paths that a problem names, sorted. */
export function wrongFields({ body }: Answer): string[] {
  const { errors } = body as { errors: { path: string }[] };
  return errors.map(({ path }) => path).sort();
}
