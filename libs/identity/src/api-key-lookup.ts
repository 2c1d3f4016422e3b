import type { Database } from '@app/database';
import { type Clock, systemClock } from '@app/platform';
import { hashOfKey } from './api-key.js';
import { findUsableKey, findUsableKeyById, type KeyRow } from './api-key.queries.js';
import type { Caller } from './caller.js';

/** How long a key that was revoked through another process still works here, at most. */
const TRUST_MS = 2_000;
const CACHE_LIMIT = 10_000;

interface Known {
  caller: Caller;
  /** By the monotonic clock, ms. */
  until: number;
}

/** Who a key belongs to. Recent answers are remembered, so that a request costs no extra query. */
export class ApiKeyLookup {
  private readonly known = new Map<string, Known>();
  private readonly asking = new Map<string, Promise<Caller | null>>();
  private generation = 0;

  constructor(
    private readonly database: Database,
    private readonly clock: Clock = systemClock,
  ) {}

  /** The caller with this key; null when it is unknown, expired or revoked. */
  async callerOf(key: string): Promise<Caller | null> {
    const hash = hashOfKey(key);
    return this.remembered(hash.toString('hex'), () => findUsableKey(this.database.pool, hash));
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

  private async remembered(id: string, find: () => Promise<KeyRow | null>): Promise<Caller | null> {
    const known = this.known.get(id);
    if (known && known.until > this.clock.monotonic()) return known.caller;
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
    const askedAt = this.clock.monotonic();
    const row = await find();
    this.known.delete(id);
    if (!row) return null;
    const caller = { id: row.id, name: row.name, role: row.role };
    // An answer from before a revocation is not kept after it.
    if (generation !== this.generation) return caller;
    if (this.known.size >= CACHE_LIMIT) this.known.clear();
    this.known.set(id, { caller, until: askedAt + Math.min(TRUST_MS, row.ms_left ?? TRUST_MS) });
    return caller;
  }
}
