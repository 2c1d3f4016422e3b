import { hash } from 'node:crypto';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { Database } from '@app/database';
import { API_CONFIG, type ApiConfig } from '../../config.js';
import {
  findUsableKey,
  findUsableKeyById,
  hasUsableAdminKey,
  type KeyRow,
  setBootstrapKey,
} from './api-keys.queries.js';
import type { Caller } from './caller.js';

/** How long a key that was revoked through another process still works here, at most. */
const TRUST_MS = 2_000;
const CACHE_LIMIT = 10_000;

interface Known {
  caller: Caller;
  /** By the monotonic clock. */
  until: number;
}

/** Only this is stored: keys are long and random, so a fast hash is enough. */
export function hashOfKey(key: string): Buffer {
  return hash('sha256', key, 'buffer');
}

/** Who a key belongs to. Recent answers are remembered, so that a request costs no extra query. */
@Injectable()
export class ApiKeys {
  private readonly logger = new Logger('ApiKeys');
  private readonly known = new Map<string, Known>();
  private readonly asking = new Map<string, Promise<Caller | null>>();
  private generation = 0;

  constructor(
    private readonly database: Database,
    @Inject(API_CONFIG) private readonly config: ApiConfig,
  ) {}

  /** The caller with this key; null when it is unknown, expired or revoked. */
  async callerOf(key: string): Promise<Caller | null> {
    const digest = hashOfKey(key);
    return this.remembered(digest.toString('hex'), () => findUsableKey(this.database.pool, digest));
  }

  /** The caller whose key a session began with, while that key is what it was. */
  async callerOfSession(id: number, fingerprint: string): Promise<Caller | null> {
    return this.remembered(`#${id} ${fingerprint}`, () =>
      findUsableKeyById(this.database.pool, id, fingerprint),
    );
  }

  /** What was remembered about any key no longer counts: one has been revoked. */
  forget(): void {
    this.generation++;
    this.known.clear();
    this.asking.clear();
  }

  /**
   * Makes the key of `ADMIN_TOKEN` the one that counts, and says so when nobody can get in. Revoked
   * by hand a key stays so, whatever the variable says.
   */
  async ensureBootstrapKey(): Promise<void> {
    const { ADMIN_TOKEN } = this.config;
    const hash = ADMIN_TOKEN === undefined ? null : hashOfKey(ADMIN_TOKEN);
    const result = await this.database.transaction((session) => setBootstrapKey(session, hash));
    this.forget();
    if (result === 'revoked') {
      this.logger.error('ADMIN_TOKEN is a key that was revoked: it does not work. Choose another.');
    } else if (result !== null && result !== 'usable') {
      this.logger.warn(
        `ADMIN_TOKEN is already the key "${result.name}"; it is left as it is` +
          (result.usable ? '' : ', and has expired'),
      );
    }
    if (await hasUsableAdminKey(this.database.pool)) return;
    this.logger.error(
      'There is no API key with the role admin that works: set ADMIN_TOKEN and start again',
    );
  }

  private async remembered(id: string, find: () => Promise<KeyRow | null>): Promise<Caller | null> {
    const known = this.known.get(id);
    if (known && known.until > performance.now()) return known.caller;
    let asked = this.asking.get(id);
    if (!asked) {
      asked = this.ask(id, find).finally(() => {
        if (this.asking.get(id) === asked) this.asking.delete(id);
      });
      this.asking.set(id, asked);
    }
    return asked;
  }

  private async ask(id: string, find: () => Promise<KeyRow | null>): Promise<Caller | null> {
    const { generation } = this;
    const askedAt = performance.now();
    const row = await find();
    this.known.delete(id);
    if (!row) return null;
    const caller = { id: row.id, name: row.name, role: row.role };
    // An answer from before a revocation must not outlive it.
    if (generation !== this.generation) return caller;
    if (this.known.size >= CACHE_LIMIT) this.known.clear();
    this.known.set(id, { caller, until: askedAt + Math.min(TRUST_MS, row.ms_left ?? TRUST_MS) });
    return caller;
  }
}
