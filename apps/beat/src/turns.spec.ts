import { setTimeout as sleep } from 'node:timers/promises';
import type { Queryable, Statement } from '@app/database';
import { takeTurns } from './turns.js';

describe('the tasks of a session', () => {
  let order: string[];
  const session: Queryable = {
    query: async ({ text }: Statement) => {
      order.push(text);
      await sleep(text === 'long' ? 50 : 1);
      return { rows: [], rowCount: 0 };
    },
  };
  beforeEach(() => {
    order = [];
  });

  async function chain(db: Queryable, statements: number): Promise<void> {
    for (let index = 1; index <= statements; index++) await db.query({ text: `short ${index}` });
  }

  it('come one at a time', async () => {
    const { db } = takeTurns(session);
    await Promise.all([db.query({ text: 'long' }), chain(db, 1), db.query({ text: 'last' })]);
    expect(order).toEqual(['long', 'short 1', 'last']);
  });

  it('runs several statements of one task before a low-priority one', async () => {
    const { db, lowPriority } = takeTurns(session);
    await Promise.all([chain(db, 4), lowPriority.query({ text: 'long' })]);
    expect(order).toEqual(['short 1', 'short 2', 'short 3', 'short 4', 'long']);
  });

  it('does so between two low-priority ones too', async () => {
    const { db, lowPriority } = takeTurns(session);
    const planning = async () => {
      for (let piece = 0; piece < 2; piece++) await lowPriority.query({ text: 'long' });
    };
    const task = async () => {
      await sleep(20);
      await chain(db, 3);
    };
    await Promise.all([planning(), task()]);
    expect(order).toEqual(['long', 'short 1', 'short 2', 'short 3', 'long']);
  });

  it('does not keep a low-priority one waiting for ever', async () => {
    const { db, lowPriority } = takeTurns(session, 30);
    await Promise.all([chain(db, 100), lowPriority.query({ text: 'long' })]);
    expect(order.indexOf('long')).toBeLessThan(100);
  });

  it('hear of the error of a statement, and the next one goes on', async () => {
    const failing: Queryable = {
      query: ({ text }: Statement) => Promise.reject(new Error(text)),
    };
    const { db, lowPriority } = takeTurns(failing);
    await expect(db.query({ text: 'first' })).rejects.toThrow('first');
    await expect(lowPriority.query({ text: 'second' })).rejects.toThrow('second');
  });
});
