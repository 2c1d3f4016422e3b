import type { Content, ContentSchema } from '@app/channels';
import type { Queryable } from '@app/database';
import { readContents } from '@app/messages';
import { Batcher, type Logger, messageOf } from '@app/platform';

const CAPACITY = 500;
const BATCH_SIZE = 100;

interface Key {
  mailingId: number;
  version: number;
}

/**
 * A cache of contents. A version never changes, so no entry becomes outdated; each is read and checked
 * once, and those that a batch of claims lacks are read with one statement.
 */
export class Contents {
  private readonly cache = new Map<string, Content>();
  private readonly batcher: Batcher<Key, Content | null>;

  constructor(
    private readonly db: Queryable,
    private readonly schema: ContentSchema,
    private readonly logger: Logger,
  ) {
    this.batcher = new Batcher((keys) => this.readBatch(keys), BATCH_SIZE);
  }

  known(mailingId: number, version: number): Content | undefined {
    return this.cache.get(`${mailingId}/${version}`);
  }

  /**
   * @returns null when the mailing has been purged, the database is away, or its content is not one of
   *   this channel.
   */
  read(mailingId: number, version: number): Promise<Content | null> {
    return this.batcher.add({ mailingId, version }).catch(() => null);
  }

  private async readBatch(keys: Key[]): Promise<(Content | null)[]> {
    for (const { mailingId, version, content } of await readContents(this.db, keys)) {
      try {
        this.put(`${mailingId}/${version}`, this.schema.read(content));
      } catch (error) {
        this.logger.error(
          { mailing: mailingId, version, error: messageOf(error) },
          'the channel cannot send this content',
        );
      }
    }
    return keys.map(({ mailingId, version }) => this.known(mailingId, version) ?? null);
  }

  private put(key: string, content: Content): void {
    const oldest = this.cache.keys().next().value;
    if (this.cache.size >= CAPACITY && oldest !== undefined) this.cache.delete(oldest);
    this.cache.set(key, content);
  }
}
