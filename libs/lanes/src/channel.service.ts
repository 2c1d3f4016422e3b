import type { Actor, ChangeLog } from '@app/audit';
import { DomainError, encrypt } from '@app/platform';
import type { Database, Queryable } from '@app/database';
import {
  type ChannelRecord,
  closeBreaker,
  listChannels,
  openBreaker,
  setChannelRate,
  setChannelToken,
} from './channel.queries.js';
import { TokenExpiries } from './token/token-expiries.js';

export interface ChannelView extends Omit<ChannelRecord, 'tokenEncrypted'> {
  tokenSource: 'environment' | 'stored';
  /** From the stored token, if it is a JWT that says so; null when that cannot be known here. */
  tokenExpiresAt: Date | null;
}

/** The lanes: their breakers, limits and tokens. What changes here counts for every worker. */
export class ChannelService {
  private readonly expiries: TokenExpiries;

  /** @param encryptionKey what tokens are stored under; without it none can be stored. */
  constructor(
    private readonly database: Database,
    private readonly changes: ChangeLog,
    private readonly encryptionKey: string | undefined,
  ) {
    this.expiries = new TokenExpiries(encryptionKey);
  }

  async list(): Promise<ChannelView[]> {
    const channels = await listChannels(this.database.pool);
    return channels.map((channel) => this.view(channel));
  }

  /** By hand: open stays open until it is closed by hand; closing resets everything at once. */
  setBreaker(actor: Actor, name: string, state: 'open' | 'closed'): Promise<ChannelView> {
    return this.change(actor, 'channel.set_breaker', name, (db) =>
      state === 'open' ? openBreaker(db, name) : closeBreaker(db, name),
    );
  }

  setRate(actor: Actor, name: string, ratePerSecond: number | null): Promise<ChannelView> {
    return this.change(actor, 'channel.set_rate', name, (db) =>
      setChannelRate(db, name, ratePerSecond),
    );
  }

  /** @throws DomainError `conflict` when there is no key to encrypt with. */
  async setToken(actor: Actor, name: string, token: string): Promise<ChannelView> {
    if (this.encryptionKey === undefined) {
      throw new DomainError(
        'conflict',
        'Tokens are stored encrypted: set ENCRYPTION_KEY for the api and the workers first',
      ).because('no_encryption_key');
    }
    const sealed = encrypt(token, this.encryptionKey);
    return this.change(actor, 'channel.set_token', name, (db) => setChannelToken(db, name, sealed));
  }

  private async change(
    actor: Actor,
    action: 'channel.set_breaker' | 'channel.set_rate' | 'channel.set_token',
    name: string,
    apply: (db: Queryable) => Promise<ChannelRecord | null>,
  ): Promise<ChannelView> {
    const changed = await apply(this.database.pool);
    if (!changed) throw new DomainError('not_found', `There is no channel ${name}`);
    this.changes.add(actor, action, name);
    await this.database.passGate();
    return this.view(changed);
  }

  private view(lane: ChannelRecord): ChannelView {
    const { tokenEncrypted, ...channel } = lane;
    return {
      ...channel,
      tokenSource: tokenEncrypted ? 'stored' : 'environment',
      tokenExpiresAt: this.expiries.of(lane),
    };
  }
}
