import type { Queryable } from '@app/database';
import { decrypt, type Logger, messageOf } from '@app/platform';
import { readLaneToken } from '../registry/lanes.queries.js';

export interface ProviderTokenOptions {
  db: Queryable;
  lane: { id: number; name: string };
  /** The environment's token, used until another one is set over the API; undefined: there is none. */
  fallback: string | undefined;
  /** Decrypts the stored token; without it only the fallback can be used. */
  encryptionKey: string | undefined;
  logger: Logger;
}

/** The provider's token of one lane, replaced while the worker runs when somebody sets a new one. */
export class ProviderToken {
  /** Undefined: the stored token has not been decrypted yet. */
  private token: string | Error | undefined;
  /** As it was read last; undefined: never. */
  private sealed: Buffer | null | undefined;

  constructor(private readonly options: ProviderTokenOptions) {}

  /**
   * @throws when the stored token cannot be decrypted. Nothing is sent then, not even with the token that
   *   it replaces, which somebody may have replaced because it was lost: the breaker opens.
   */
  get current(): string {
    // Decrypting it is slow on purpose, so it is done once per change, and only in lanes that send.
    this.token ??= this.open();
    if (typeof this.token === 'string') return this.token;
    throw this.token;
  }

  /** Takes over the stored token. */
  accept(sealed: Buffer | null): void {
    const before = this.sealed;
    if (before !== undefined && isSame(sealed, before)) return;
    this.sealed = sealed;
    this.token = undefined;
    if (before === undefined && sealed === null) return;
    const { lane, logger } = this.options;
    logger.info({ lane: lane.name }, 'the provider token was replaced');
  }

  /** Looks for a new token. @throws when the database cannot be asked; then nothing changes. */
  async refresh(): Promise<void> {
    this.accept(await readLaneToken(this.options.db, this.options.lane.id));
  }

  private open(): string | Error {
    if (this.sealed === undefined) return new Error('the stored token has not been read yet');
    const { fallback, encryptionKey, lane, logger } = this.options;
    try {
      if (this.sealed !== null && encryptionKey === undefined) {
        throw new Error('ENCRYPTION_KEY is not set');
      }
      const token = this.sealed ? decrypt(this.sealed, encryptionKey ?? '') : fallback;
      return token ?? new Error('no token is set');
    } catch (error) {
      const reason = `the stored token cannot be opened: ${messageOf(error)}`;
      logger.error(
        { lane: lane.name, error: reason },
        'nothing is sent until ENCRYPTION_KEY has its key',
      );
      return new Error(reason);
    }
  }
}

function isSame(a: Buffer | null, b: Buffer | null): boolean {
  return a === b || (a !== null && b !== null && a.equals(b));
}
