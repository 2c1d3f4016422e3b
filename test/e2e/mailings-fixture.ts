import {
  type Answer,
  createTestDatabase,
  type RunningApi,
  startApi as startApiOn,
  type TestDatabase,
} from '@app/testkit';

/** A real api process on a database of its own. */
export interface ApiUnderTest {
  database: TestDatabase;
  /** With the admin key unless another is given in the headers. */
  call(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Answer<unknown>>;
  close(): Promise<void>;
}

export async function startApi(): Promise<ApiUnderTest> {
  const database = await createTestDatabase();
  const { process, admin }: RunningApi = await startApiOn(database.url);
  return {
    database,
    call: (method, path, body, headers) => admin.call(method, path, body, headers),
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
export function wrongFields({ body }: Answer<unknown>): string[] {
  const { errors } = body as { errors: { path: string }[] };
  return errors.map(({ path }) => path).sort();
}
