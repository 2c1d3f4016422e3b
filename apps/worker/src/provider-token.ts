import type { Queryable } from '@app/domain';
import { readLaneToken } from '@app/mailing';
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
  current: string;
  private sealed: Buffer | null = null;
  private readonly timer: NodeJS.Timeout;

  constructor(private readonly options: ProviderTokenOptions) {
    this.current = options.fallback;
    this.timer = setInterval(() => void this.refresh(), REFRESH_MS);
    this.timer.unref();
  }

  /** Looks for a new token; keeps the one it has when it cannot. */
  async refresh(): Promise<void> {
    const { db, lane, fallback, encryptionKey, logger } = this.options;
    try {
      const sealed = await readLaneToken(db, lane);
      // Opening it is costly on purpose, so it is done once per change.
      if (sealed === this.sealed || (sealed && this.sealed?.equals(sealed))) return;
      this.sealed = sealed;
      if (sealed === null) this.current = fallback;
      else if (encryptionKey === undefined) throw new Error('ENCRYPTION_KEY is not set');
      else this.current = decrypt(sealed, encryptionKey);
      logger.info({ lane }, 'the provider token was replaced');
    } catch (error) {
      logger.warn({ lane, error: messageOf(error) }, 'the stored token cannot be used');
    }
  }

  stop(): void {
    clearInterval(this.timer);
  }
}
