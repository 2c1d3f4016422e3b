import type { Queryable } from '@app/database';
import type { Clock } from '@app/platform';
import { findOpenZones, findRunning, type OpenMailing } from './dispatch.queries.js';

/** The open zones of every mailing are read at least so often, ms. */
const REFRESH_MS = 900;
/** After a change they are read at once, but reading them takes no more than this share of the time. */
const REFRESH_SHARE = 0.1;

/**
 * The mailings with something to send and their open zones. Zones are many and seldom change, so they
 * are kept for up to a second; the claim looks at the slot itself.
 */
export class OpenMailings {
  private zones = new Map<number, readonly number[]>();
  private readAt = -Infinity;
  private tookMs = 0;
  private isStale = true;

  constructor(
    private readonly db: Queryable,
    private readonly clock: Clock,
  ) {}

  /** Slots may have been computed, mailings started or edited. */
  changed(): void {
    this.isStale = true;
  }

  /** Those without an open zone are left out. @throws when the database cannot be reached. */
  async read(): Promise<OpenMailing[]> {
    const running = await findRunning(this.db);
    const ids = running.map(({ id }) => id);
    if (this.isTimeForAll()) await this.readAll(ids);
    else await this.readZones(ids.filter((id) => !this.zones.has(id)));
    return running.flatMap((mailing) => {
      const zones = this.zones.get(mailing.id) ?? [];
      return zones.length > 0 ? [{ ...mailing, zones }] : [];
    });
  }

  private isTimeForAll(): boolean {
    const age = this.clock.monotonic() - this.readAt;
    return age >= REFRESH_MS || (this.isStale && age * REFRESH_SHARE >= this.tookMs);
  }

  private async readAll(ids: number[]): Promise<void> {
    this.isStale = false;
    const startedAt = this.clock.monotonic();
    this.zones = new Map();
    await this.readZones(ids);
    this.readAt = this.clock.monotonic();
    this.tookMs = this.readAt - startedAt;
  }

  private async readZones(ids: number[]): Promise<void> {
    if (ids.length === 0) return;
    const found = await findOpenZones(this.db, ids);
    for (const id of ids) this.zones.set(id, []);
    for (const { mailingId, zones } of found) this.zones.set(mailingId, zones);
  }
}
