import { assertDocumented } from './documented-api.js';
import { type RunningProcess, startProcess, type StartOptions } from './process.js';

/** The key that `startApi` gives as `ADMIN_TOKEN`. */
export const TEST_ADMIN_KEY = 'test-admin-key-0123456789';

export interface Answer<Body> {
  status: number;
  headers: Headers;
  /** Parsed when it is JSON, else the text. */
  body: Body;
}

export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: string;
  data: Record<string, unknown>;
  errors: { path: string; message: string }[];
}

/** A running API, called with one key. */
export class ApiCaller {
  constructor(
    readonly url: string,
    private readonly key: string | null,
  ) {}

  /** The same API with another key; null: without any. */
  as(key: string | null): ApiCaller {
    return new ApiCaller(this.url, key);
  }

  get<Body = Problem>(path: string, headers?: Record<string, string>): Promise<Answer<Body>> {
    return this.call('GET', path, undefined, headers);
  }

  post<Body = Problem>(path: string, body?: unknown, headers?: Record<string, string>) {
    return this.call<Body>('POST', path, body, headers);
  }

  put<Body = Problem>(path: string, body?: unknown) {
    return this.call<Body>('PUT', path, body);
  }

  patch<Body = Problem>(path: string, body?: unknown) {
    return this.call<Body>('PATCH', path, body);
  }

  delete<Body = Problem>(path: string) {
    return this.call<Body>('DELETE', path);
  }

  /**
   * A string is sent as it is, anything else as JSON. Redirects are not followed.
   *
   * @throws Error when the answer is not as the API's document says
   */
  async call<Body = Problem>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer<Body>> {
    const response = await fetch(this.url + path, {
      method,
      redirect: 'manual',
      headers: {
        ...(this.key !== null && { token: this.key }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') ?? false;
    const parsed: unknown = isJson && text !== '' ? JSON.parse(text) : text;
    const { status, headers: received } = response;
    assertDocumented({ method, path, status, headers: received, body: parsed });
    return { status, headers: received, body: parsed as Body };
  }
}

export interface RunningApi {
  process: RunningProcess;
  /** With the admin key. */
  admin: ApiCaller;
}

/** Starts the built API on a free port, on this database. Stop it with `process.stop()`. */
export async function startApi(
  databaseUrl: string,
  environment: Record<string, string> = {},
  options?: StartOptions,
): Promise<RunningApi> {
  const process = await startProcess(
    'api',
    {
      DATABASE_URL: databaseUrl,
      API_HOST: '127.0.0.1',
      API_PORT: '0',
      ADMIN_TOKEN: TEST_ADMIN_KEY,
      ...environment,
    },
    options,
  );
  return { process, admin: new ApiCaller(process.url, TEST_ADMIN_KEY) };
}
