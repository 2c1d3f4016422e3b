import type { Queryable } from '@app/database';
import { readTexts } from '@app/messages';
import { Batcher } from '@app/platform';

const CAPACITY = 500;

/** The texts of recent mailings. A version never changes, so what is here is true. */
export class Texts {
  private readonly cache = new Map<string, string>();
  private readonly batcher: Batcher<{ mailingId: number; version: number }, string | null>;

  constructor(db: Queryable) {
    this.batcher = new Batcher(async (keys) => {
      const found = await readTexts(db, keys);
      for (const { mailingId, version, text } of found) this.put(`${mailingId}/${version}`, text);
      return keys.map(({ mailingId, version }) => this.known(mailingId, version) ?? null);
    }, 100);
  }

  known(mailingId: number, version: number): string | undefined {
    return this.cache.get(`${mailingId}/${version}`);
  }

  /** @returns null when the mailing has been purged, or the database is away. */
  read(mailingId: number, version: number): Promise<string | null> {
    return this.batcher.add({ mailingId, version }).catch(() => null);
  }

  private put(key: string, text: string): void {
    const oldest = this.cache.keys().next().value;
    if (this.cache.size >= CAPACITY && oldest !== undefined) this.cache.delete(oldest);
    this.cache.set(key, text);
  }
}
