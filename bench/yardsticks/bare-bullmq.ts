import { Pool } from 'undici';
import { BareQueue } from './bullmq.js';
import { measureEffort, type Task, yardstick } from './yardstick.js';

interface Message {
  id: number;
  phone: number;
}

/**
 * The cost of the queue and the network alone: all jobs into the queue, then one POST for each.
 * No database, no state, no repetition: whatever goes wrong is lost.
 */
yardstick(async (task) => {
  const queue = new BareQueue<Message>(task.queueUrl, 'bare');
  const send = sender(task);
  const round = (from: number, count: number) => {
    const messages = Array.from({ length: count }, (_, index) => ({
      id: from + index,
      phone: 79_000_000_000 + from + index,
    }));
    return measureEffort(async () => {
      await queue.add(messages);
      await queue.drain(count, task.concurrency, send);
    });
  };
  await round(1, task.warmUp);
  const effort = await round(1 + task.warmUp, task.messages);
  await queue.close();
  return effort;
});

function sender({ providerUrl, token, text, concurrency }: Task) {
  const { origin, pathname } = new URL(providerUrl);
  const pool = new Pool(origin, { connections: concurrency, pipelining: 1 });
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
  return async ({ id, phone }: Message): Promise<void> => {
    const { statusCode, body } = await pool.request({
      path: `${pathname}/send/${id}`,
      method: 'POST',
      headers,
      body: JSON.stringify({ id, phone, text }),
    });
    const { code } = (await body.json()) as { code: number };
    if (statusCode !== 200 || code !== 0) throw new Error(`the stand-in answered ${statusCode}`);
  };
}
