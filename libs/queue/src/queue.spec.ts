import { Redis } from 'ioredis';
import { createLogger, type Logger, systemClock } from '@app/platform';
import { createTestDatabase, freePort, TEST_REDIS, type TestDatabase, waitFor } from '@app/testkit';
import { migrateQueue } from './connections.js';
import { DeliveryConsumers } from './delivery-consumers.js';
import { DeliveryQueues } from './delivery-queues.js';
import { deliveryJobId, parseDeliveryJob } from './jobs.js';
import { describeQueue } from './queue.conformance.js';
import { QueueTroubles, queueTroubles } from './troubles.js';

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
      const queues = new DeliveryQueues({ url, prefix: 'test', logger });
      const queue = queues.open('away');
      await expect(queue.waiting()).rejects.toThrow();
      await expect(queue.feed([{ messageId: 1, attempts: 0 }], 0)).rejects.toThrow();
      await queues.close();
    },
  );
});

const withRedis = redis === undefined ? describe.skip : describe;
withRedis('a Redis that two installations share', () => {
  it('gives each of them its own jobs', async () => {
    const logger = createLogger('test', 'silent');
    const url = redis ?? '';
    const lane = `shared-${process.pid}`;
    const installations = ['one', 'other'].map((prefix, index) => {
      const taken: number[] = [];
      const queues = new DeliveryQueues({ url, prefix, logger });
      const queue = queues.open(lane);
      const consumers = new DeliveryConsumers({
        url,
        prefix,
        places: 4,
        logger,
        clock: systemClock,
      });
      consumers.open(lane, ({ messageId }) => {
        taken.push(messageId);
        return Promise.resolve(undefined);
      });
      const fed = Array.from({ length: 50 }, (_, nth) => 1 + 2 * nth + index);
      return { taken, queues, queue, consumers, fed };
    });
    await Promise.all(
      installations.map(({ queue, fed }) =>
        queue.feed(
          fed.map((messageId) => ({ messageId, attempts: 0 })),
          0,
        ),
      ),
    );
    await waitFor(
      () =>
        Promise.resolve(installations.reduce((sum, { taken }) => sum + taken.length, 0) === 100),
      { timeoutMs: 10_000, what: 'all jobs are taken' },
    );
    for (const { taken, fed } of installations) {
      expect(taken.toSorted((a, b) => a - b)).toEqual(fed);
    }
    await Promise.all(installations.map(({ consumers }) => consumers.close()));
    await Promise.all(installations.map(({ queues }) => queues.close()));
  });
});

withRedis('a Redis that refuses', () => {
  const name = `limited-${process.pid}`;
  const logger = createLogger('test', 'silent');
  let admin: Redis;
  const urlWith = (password: string) =>
    (redis ?? '').replace('redis://', `redis://${name}:${password}@`);

  beforeAll(async () => {
    admin = new Redis(redis ?? '');
    await admin.call('ACL', 'SETUSER', name, 'on', '>right', '~*', '+@all', '-eval', '-evalsha');
  });
  afterAll(async () => {
    await admin.call('ACL', 'DELUSER', name);
    await admin.quit();
  });
  afterEach(() => {
    queueTroubles.forgetAll();
  });

  it.each([
    ['WRONGPASS', 'wrong'],
    ['NOPERM', 'right'],
  ])('is told with its own word, to who feeds and to health: %s', async (word, password) => {
    const queues = new DeliveryQueues({ url: urlWith(password), prefix: 'test', logger });
    const queue = queues.open('refused');
    await expect(queue.feed([{ messageId: 1, attempts: 0 }], 0)).rejects.toThrow(word);
    await expect(queueTroubles.check()).rejects.toThrow(`refused: ${word}`);
    await queues.close();
  });

  it('is not asked again ten thousand times a second by who takes jobs', async () => {
    const before = errorsIn(await admin.info('errorstats'));
    const consumers = new DeliveryConsumers({
      url: urlWith('right'),
      prefix: 'test',
      places: 4,
      logger,
      clock: systemClock,
    });
    consumers.open('refused', () => Promise.resolve(undefined));
    await waitFor(() => Promise.resolve(queueTroubles.of('refused, taking jobs') !== null), {
      timeoutMs: 5_000,
      what: 'the consumer is refused',
    });
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(errorsIn(await admin.info('errorstats')) - before).toBeLessThan(100);
    await consumers.close();
  });

  function errorsIn(info: string): number {
    return Number(/errorstat_NOPERM:count=(\d+)/.exec(info)?.[1] ?? 0);
  }
});

describe('what a queue says', () => {
  it('is logged once, heard of, and forgotten when it serves the lane again', async () => {
    const troubles = new QueueTroubles();
    const logged: string[] = [];
    const heard: (string | null)[] = [];
    const line = (_: unknown, text: string) => void logged.push(text);
    const logger = { warn: line, info: line } as unknown as Logger;
    troubles.listen((_, words) => heard.push(words));
    for (let times = 0; times < 3; times++) troubles.note('a', new Error('NOPERM no'), logger);
    troubles.note('a', new Error('connect ECONNREFUSED 10.0.0.3:6379'), logger);
    await expect(troubles.check()).rejects.toThrow('a: cannot be reached');
    troubles.clear('a', logger);
    troubles.clear('a', logger);
    await expect(troubles.check()).resolves.toBeUndefined();
    expect(heard).toEqual(['NOPERM no', 'connect ECONNREFUSED 10.0.0.3:6379', null]);
    expect(logged).toEqual([
      'the queue does not serve this lane',
      'the queue does not serve this lane',
      'the queue serves this lane again',
    ]);
  });
});

describe('a job', () => {
  it('has an id of its message and its attempt, and another one when it is offered without effect', () => {
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
