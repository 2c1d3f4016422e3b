import { readJwtExpiry } from '@app/channels';
import type { Queryable } from '@app/domain';
import { decrypt, DecryptionError, type Logger, messageOf } from '@app/platform';
import type { AlertContent } from './content.js';
import { addReportsOnce } from './outbox.queries.js';
import {
  addCompletionReports,
  findClosedBreakers,
  findErrorRates,
  findLongOpenBreakers,
  type LaneToken,
  readLaneTokens,
  readReportStart,
} from './raise.queries.js';
import { dueDates, latestDue, periodOf } from './report-day.js';
import type { Now, ReportSettings } from './settings.js';

const ERROR_RATE_MINUTES = 5;
/** Below that a share says nothing. */
const ERROR_RATE_LEAST_ATTEMPTS = 50;
const BREAKER_MINUTES = 5;
const TOKEN_WARNING_MS = 3 * 24 * 3_600_000;

export interface AlertSettings {
  /** Share of bad attempts, 0 to 1, above which a mailing is worth an alert. */
  errorRate: number;
  /** The origin of the webhook that alerts go to as well; null: there is none. */
  webhook: string | null;
  /** The provider's token as the environment has it; undefined when this process does not know it. */
  providerToken: string | undefined;
  /** For tokens that were stored over the API. */
  encryptionKey: string | undefined;
}

export interface RaiseOptions {
  /** The leader's session: writes. */
  db: Queryable;
  read: Queryable;
  settings: ReportSettings;
  alerts: AlertSettings;
  now: Now;
  logger: Logger;
}

/**
 * Notices what is to be reported and writes it down, each thing once: the row in the database is
 * what makes it once, whoever notices, how often, and after whatever crash.
 */
export class RaiseService {
  private dailyUpTo = '';
  private readonly expiries = new Map<number, { sealed: Buffer; expiresAt: Date | null }>();

  constructor(private readonly options: RaiseOptions) {}

  /** @returns whether there is something new to send. */
  async run(): Promise<boolean> {
    const now = await this.options.now();
    const raisers = {
      daily: () => this.raiseDaily(now),
      completion: () => addCompletionReports(this.options.db, now),
      error_rate: () => this.raiseErrorRates(now),
      breaker: () => this.raiseBreakers(now),
      token_expiry: () => this.raiseTokenExpiries(now),
    };
    let added = 0;
    for (const [report, raise] of Object.entries(raisers)) {
      try {
        added += await raise();
      } catch (error) {
        // One that fails must not keep the others from being noticed.
        this.options.logger.warn({ report, error: messageOf(error) }, 'a report was not raised');
      }
    }
    return added > 0;
  }

  private async raiseDaily(now: Date): Promise<number> {
    const { db, settings } = this.options;
    const latest = latestDue(now, settings);
    if (latest <= this.dailyUpTo) return 0;
    const since = await readReportStart(db);
    const dates = since ? dueDates(since, now, settings) : [];
    const added = await addReportsOnce(
      db,
      dates.map((date) => ({
        kind: 'daily',
        key: date,
        transport: 'email',
        date,
        period: periodOf(date, settings),
      })),
      now,
    );
    this.dailyUpTo = latest;
    return added;
  }

  private async raiseErrorRates(now: Date): Promise<number> {
    const { read, alerts } = this.options;
    const found = await findErrorRates(read, now, {
      minutes: ERROR_RATE_MINUTES,
      threshold: alerts.errorRate,
      leastAttempts: ERROR_RATE_LEAST_ATTEMPTS,
    });
    let added = 0;
    for (const { id, name, attempts, bad, reasons } of found) {
      const content: AlertContent = {
        kind: 'error_rate',
        mailing: { id, name },
        at: now.toISOString(),
        minutes: ERROR_RATE_MINUTES,
        attempts,
        bad,
        threshold: alerts.errorRate,
        reasons,
      };
      added += await this.addAlert(String(id), content, now, id);
    }
    return added;
  }

  private async raiseBreakers(now: Date): Promise<number> {
    const { read } = this.options;
    let added = 0;
    for (const { id, channel, reason, openedAt } of await findLongOpenBreakers(
      read,
      now,
      BREAKER_MINUTES,
    )) {
      const content: AlertContent = {
        kind: 'breaker_open',
        channel,
        openedAt: openedAt.toISOString(),
        at: now.toISOString(),
        reason,
      };
      added += await this.addAlert(`${id}@${openedAt.getTime()}`, content, now);
    }
    for (const { key, channel, openedAt, closedAt } of await findClosedBreakers(read, now)) {
      const content: AlertContent = {
        kind: 'breaker_closed',
        channel,
        openedAt: openedAt.toISOString(),
        at: closedAt.toISOString(),
        reason: null,
      };
      added += await this.addAlert(key, content, now);
    }
    return added;
  }

  /** Once a day, at the report time, for as long as it lasts. */
  private async raiseTokenExpiries(now: Date): Promise<number> {
    const { read, settings } = this.options;
    const day = latestDue(now, settings);
    let added = 0;
    for (const lane of await readLaneTokens(read, day)) {
      const expiresAt = lane.alerted ? null : this.expiryOf(lane);
      if (!expiresAt || expiresAt.getTime() - now.getTime() > TOKEN_WARNING_MS) continue;
      const content: AlertContent = {
        kind: 'token_expiry',
        channel: lane.channel,
        at: now.toISOString(),
        expiresAt: expiresAt.toISOString(),
      };
      added += await this.addAlert(`${lane.id}@${day}`, content, now);
    }
    return added;
  }

  private async addAlert(
    key: string,
    content: AlertContent,
    now: Date,
    mailingId?: number,
  ): Promise<number> {
    const { db, settings, alerts, logger } = this.options;
    const report = { kind: content.kind, key, content, ...(mailingId && { mailingId }) };
    const added = await addReportsOnce(
      db,
      [
        { ...report, transport: 'email', recipients: [...settings.recipients] },
        ...(alerts.webhook === null
          ? []
          : [{ ...report, transport: 'webhook' as const, recipients: [alerts.webhook] }]),
      ],
      now,
    );
    if (added > 0) logger.warn({ alert: content.kind, key }, 'alert');
    return added;
  }

  private expiryOf({ id, tokenEncrypted }: LaneToken): Date | null {
    const { providerToken, encryptionKey } = this.options.alerts;
    if (!tokenEncrypted) return providerToken === undefined ? null : readJwtExpiry(providerToken);
    if (encryptionKey === undefined) return null;
    const known = this.expiries.get(id);
    if (known?.sealed.equals(tokenEncrypted)) return known.expiresAt;
    // Decrypting derives a key, which is made to be slow: once per token.
    const expiresAt = readSealedExpiry(tokenEncrypted, encryptionKey);
    this.expiries.set(id, { sealed: tokenEncrypted, expiresAt });
    return expiresAt;
  }
}

/** A token that was stored under another key is unusable: the worker says so by its breaker. */
function readSealedExpiry(sealed: Buffer, key: string): Date | null {
  try {
    return readJwtExpiry(decrypt(sealed, key));
  } catch (error) {
    if (error instanceof DecryptionError) return null;
    throw error;
  }
}
