import {
  createTestDatabase,
  type ProcessName,
  startProcess,
  type TestDatabase,
} from '@app/testkit';

const PORT_OF = {
  api: 'API_PORT',
  worker: 'WORKER_PORT',
  beat: 'BEAT_PORT',
  simulator: 'SIMULATOR_PORT',
} as const satisfies Record<ProcessName, string>;

describe('API_HOST', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(async () => {
    await database.drop();
  });

  it.each(Object.keys(PORT_OF) as ProcessName[])(
    'is where %s listens, and nowhere else',
    async (name) => {
      const running = await startProcess(name, {
        DATABASE_URL: database.url,
        API_HOST: '127.0.0.2',
        [PORT_OF[name]]: '0',
        NOTIFICATION_API_URL: 'http://127.0.0.1:1/v1',
        NOTIFICATION_API_TOKEN: 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ0ZXN0In0.c2ln',
      });
      try {
        const { port } = new URL(running.url);
        expect((await fetch(`http://127.0.0.2:${port}/health/live`)).status).toBe(200);
        await expect(fetch(`http://127.0.0.1:${port}/health/live`)).rejects.toThrow();
      } finally {
        await running.stop();
      }
    },
  );
});
