import { createLogger } from '@app/platform';
import { createTestDatabase, freePort, TEST_REDIS, type TestDatabase } from '@app/testkit';
import { migrateQueue } from './backend.js';
import { DeliveryQueue } from './delivery-queue.js';
import { deliveryJobId, parseDeliveryJob } from './jobs.js';
import { describeQueue } from './queue.conformance.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  await migrateQueue(database.url);
});
afterAll(() => database.drop());

describeQueue('Postgres', () => database.url);

const redis = process.env[TEST_REDIS];
if (redis) describeQueue('Redis', () => redis);

describe('migrating the queue', () => {
  it('may be repeated, also by several at once', async () => {
    await Promise.all([migrateQueue(database.url), migrateQueue(database.url)]);
  });

  it('has nothing to do on Redis', async () => {
    await migrateQueue('redis://127.0.0.1:1');
  });
});

describe('a queue whose backend is away', () => {
  it.each(['redis', 'postgres'])(
    'says so within seconds instead of waiting: %s',
    async (scheme) => {
      const logger = createLogger('test', 'silent');
      const url = `${scheme}://127.0.0.1:${await freePort()}/db`;
      const queue = new DeliveryQueue(url, 'away', logger);
      await expect(queue.waiting()).rejects.toThrow();
      await expect(queue.feed([{ messageId: 1, attempts: 0 }], 0)).rejects.toThrow();
      await queue.close();
    },
  );
});

describe('a job', () => {
  it('has an id of its message and its attempt, and another one when it is offered in vain', () => {
    expect(deliveryJobId(5, 2)).toBe('5-2');
    expect(deliveryJobId(5, 2, 2)).toBe('5-2');
    expect(deliveryJobId(5, 2, 3)).toBe('5-2-3');
  });

  it.each([
    undefined,
    null,
    {},
    { messageId: '5' },
    { messageId: 0 },
    { messageId: 1.5 },
    { messageId: 5, probe: 'x' },
  ])('is refused when it is no delivery: %j', (data) => {
    expect(() => parseDeliveryJob(data)).toThrow(TypeError);
  });
});
