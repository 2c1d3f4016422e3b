import { createTestDatabase } from '@app/testkit';
import { migrate } from './migrate.js';
import { poolOf } from './queryable.js';
import { readQueuePrefix } from './queue-prefix.js';

describe('the prefix of the queue', () => {
  it('is the same at each look, and another one for each installation', async () => {
    const one = await createTestDatabase({ empty: true });
    const other = await createTestDatabase({ empty: true });
    try {
      await migrate(one.dataSource);
      await migrate(other.dataSource);
      const prefix = await readQueuePrefix(poolOf(one.dataSource));
      expect(prefix).toMatch(/^posthorn-[0-9a-f-]{36}$/);
      expect(await readQueuePrefix(poolOf(one.dataSource))).toBe(prefix);
      expect(await readQueuePrefix(poolOf(other.dataSource))).not.toBe(prefix);
    } finally {
      await one.drop();
      await other.drop();
    }
  });
});
