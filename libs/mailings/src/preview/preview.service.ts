import { DomainError, nextSlot, type Slot, UnknownTimezoneError } from '@app/platform';
import {
  type AudienceZone,
  countAudience,
  findSampleClient,
  type SampleClient,
} from '@app/audience';
import { orderFault } from '../mailing/edit.js';
import type { MailingDraft } from '../mailing/mailing.fields.js';
import { type Database, readClock } from '@app/database';

/** Counting may take this long, then the caller is told to narrow the filter. */
const COUNT_LIMIT_MS = 5_000;
const QUERY_CANCELED = '57014';

export type PreviewRequest = Pick<MailingDraft, 'text' | 'filter' | 'endAt' | 'window'> & {
  /** Null is now. */
  startAt: Date | null;
};

export interface PreviewSlot extends AudienceZone {
  /** The first time in which these clients can be reached; null: never before the end. */
  slot: Slot | null;
}

export interface Preview {
  audience: number;
  /** Clients in whose zone the allowed hours never open before the end. */
  unreachable: number;
  /** Biggest first. */
  slots: PreviewSlot[];
  /** What one matching client would get; null when nobody matches. */
  sample: (SampleClient & { text: string }) | null;
}

/** What a mailing would do if it were created now. Writes nothing. */
export class PreviewService {
  constructor(
    private readonly database: Database,
    private readonly countLimitMs = COUNT_LIMIT_MS,
  ) {}

  /** @throws DomainError `invalid` for impossible times, `unavailable` when counting takes too long. */
  async preview(request: PreviewRequest): Promise<Preview> {
    const { now, zones, sample } = await this.read(request);
    const startAt = request.startAt ?? now;
    const fault =
      request.endAt <= now
        ? { path: 'endAt', message: 'must be in the future' }
        : orderFault(startAt, request.endAt);
    if (fault) throw new DomainError('invalid', 'The times of the mailing make no sense', [fault]);

    const times = { startAt, endAt: request.endAt, window: request.window ?? undefined };
    const slots = zones.map((zone) => ({ ...zone, slot: slotOrNull(times, zone.timezone, now) }));
    return {
      audience: sum(slots),
      unreachable: sum(slots.filter((zone) => !zone.slot)),
      slots,
      sample: sample && { ...sample, text: request.text },
    };
  }

  private read(request: PreviewRequest) {
    return this.database
      .transaction(async (session) => {
        await session.query(`SET LOCAL statement_timeout = ${this.countLimitMs}`);
        const now = await readClock(session);
        const zones = await countAudience(session, request.filter);
        const sample = await findSampleClient(session, request.filter);
        return { now, zones, sample };
      })
      .catch((error: unknown) => {
        if ((error as { code?: unknown }).code !== QUERY_CANCELED) throw error;
        throw new DomainError(
          'unavailable',
          'Counting this audience takes too long just now',
        ).because('counting_takes_too_long');
      });
  }
}

function slotOrNull(times: Parameters<typeof nextSlot>[0], zone: string, now: Date): Slot | null {
  try {
    return nextSlot(times, zone, now);
  } catch (error) {
    if (error instanceof UnknownTimezoneError) return null;
    throw error;
  }
}

function sum(zones: AudienceZone[]): number {
  return zones.reduce((total, zone) => total + zone.clients, 0);
}
