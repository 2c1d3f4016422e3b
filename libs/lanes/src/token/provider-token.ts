import type { Queryable } from '@app/database';
import { readLaneToken } from '../registry/lanes.queries.js';
import { decrypt, type Logger, messageOf } from '@app/platform';

const REFRESH_MS = 5_000;

export interface ProviderTokenOptions {
  db: Queryable;
  lane: string;
  /** The environment's token: used until another one is set over the API. */
  fallback: string;
  /** Opens what the API stored; without it only the fallback can be used. */
  encryptionKey: string | undefined;
  logger: Logger;
}

/** The provider's token, replaced while the worker runs when somebody sets a new one. */
export class ProviderToken {
  private token: string | Error = new Error('the stored token has not been read yet');
  /** As it was read last; undefined: never. */
  private sealed: Buffer | null | undefined;
  private readonly timer: NodeJS.Timeout;

  constructor(private readonly options: ProviderTokenOptions) {
    this.timer = setInterval(() => {
      this.refresh().catch((error: unknown) => {
        const { lane, logger } = this.options;
        logger.warn({ lane, error: messageOf(error) }, 'the stored token could not be looked up');
      });
    }, REFRESH_MS);
    this.timer.unref();
  }

  /**
   * @throws when the stored token cannot be opened. Nothing is sent then, not even with the token that
   *   it replaces, which somebody may have replaced because it was lost: the breaker opens.
   */
  get current(): string {
    if (typeof this.token === 'string') return this.token;
    throw this.token;
  }

  /** Looks for a new token. @throws when the database cannot be asked; then nothing changes. */
  async refresh(): Promise<void> {
    const { db, lane, logger } = this.options;
    const sealed = await readLaneToken(db, lane);
    const isFirst = this.sealed === undefined;
    // Opening it is costly on purpose, so it is done once per change.
    if (!isFirst && isSame(sealed, this.sealed ?? null)) return;
    this.sealed = sealed;
    try {
      this.token = this.open(sealed);
      if (!isFirst || sealed !== null) logger.info({ lane }, 'the provider token was replaced');
    } catch (error) {
      const reason = `the stored token cannot be opened: ${messageOf(error)}`;
      this.token = new Error(reason);
      logger.error({ lane, error: reason }, 'nothing is sent until ENCRYPTION_KEY has its key');
    }
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private open(sealed: Buffer | null): string {
    const { fallback, encryptionKey } = this.options;
    if (sealed === null) return fallback;
    if (encryptionKey === undefined) throw new Error('ENCRYPTION_KEY is not set');
    return decrypt(sealed, encryptionKey);
  }
}

function isSame(a: Buffer | null, b: Buffer | null): boolean {
  return a === b || (a !== null && b !== null && a.equals(b));
}
