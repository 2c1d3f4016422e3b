import { decrypt, DecryptionError } from '@app/platform';
import { channelKinds } from '../registry/channels.js';

/** A lane as far as its token goes. */
export interface LaneToken {
  id: number;
  channel: string;
  /** Null: the environment's counts. */
  tokenEncrypted: Buffer | null;
}

/** When the tokens of lanes expire, for the warnings. */
export class TokenExpiries {
  /** By lane: decrypting a token derives a key, which is slow on purpose, so it is done once per token. */
  private readonly known = new Map<number, { sealed: Buffer; expiresAt: Date | null }>();

  /**
   * @param encryptionKey decrypts stored tokens; without it their expiry is unknown.
   * @param environmentTokens by channel, as far as this process knows them.
   */
  constructor(
    private readonly encryptionKey: string | undefined,
    private readonly environmentTokens: ReadonlyMap<string, string> = new Map(),
  ) {}

  /** Null: it does not expire, or that cannot be known here. */
  of({ id, channel, tokenEncrypted }: LaneToken): Date | null {
    const read = channelKinds.get(channel)?.tokenExpiry;
    if (!read) return null;
    if (!tokenEncrypted) return readIfAny(read, this.environmentTokens.get(channel));
    const known = this.known.get(id);
    if (known?.sealed.equals(tokenEncrypted)) return known.expiresAt;
    const expiresAt = readIfAny(read, this.open(tokenEncrypted));
    this.known.set(id, { sealed: tokenEncrypted, expiresAt });
    return expiresAt;
  }

  /** A token that was stored under another key is as good as none: the worker logs an error. */
  private open(sealed: Buffer): string | undefined {
    if (this.encryptionKey === undefined) return undefined;
    try {
      return decrypt(sealed, this.encryptionKey);
    } catch (error) {
      if (error instanceof DecryptionError) return undefined;
      throw error;
    }
  }
}

function readIfAny(read: (token: string) => Date | null, token: string | undefined): Date | null {
  return token === undefined ? null : read(token);
}
