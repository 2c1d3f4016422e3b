import type { Queryable } from '@app/database';

/** Shown with the channels: why the queue takes no jobs of this lane; null: it does. */
export async function noteQueueTrouble(
  db: Queryable,
  lane: string,
  words: string | null,
): Promise<void> {
  await db.query({
    name: 'note-queue-trouble',
    text: 'UPDATE lanes SET queue_trouble = $2 WHERE name = $1 AND queue_trouble IS DISTINCT FROM $2',
    values: [lane, words],
  });
}

/** A new leader begins with none. */
export async function forgetQueueTroubles(db: Queryable): Promise<void> {
  await db.query({
    name: 'forget-queue-troubles',
    text: 'UPDATE lanes SET queue_trouble = NULL WHERE queue_trouble IS NOT NULL',
  });
}
