import type { Queryable } from '@app/database';
import { Batcher } from '@app/platform';
import { readTexts } from '@app/messages';

const CAPACITY = 500;

/** The texts of recent mailings. A version never changes, so what is here is true. */
export class Texts {
  private readonly cache = new Map<string, string>();
  private readonly batcher: Batcher<{ mailingId: number; version: number }, string | null>;

  constructor(db: Queryable) {
    this.batcher = new Batcher(async (keys) => {
      const found = await readTexts(db, keys);
      for (const { mailingId, version, text } of found) this.put(`${mailingId}/${version}`, text);
      return keys.map(
        (key) =>
          found.find((row) => row.mailingId === key.mailingId && row.version === key.version)
            ?.text ?? null,
      );
    }, 100);
  }

  /** @returns null when the mailing has been purged. */
  get(mailingId: number, version: number): Promise<string | null> | string {
    return this.cache.get(`${mailingId}/${version}`) ?? this.batcher.add({ mailingId, version });
  }

  private put(key: string, text: string): void {
    const oldest = this.cache.keys().next().value;
    if (this.cache.size >= CAPACITY && oldest !== undefined) this.cache.delete(oldest);
    this.cache.set(key, text);
  }
}
