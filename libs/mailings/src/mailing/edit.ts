import type { AudienceFilter } from '@app/database';
import { DomainError, type FieldError } from '@app/platform';
import { editableUntil, MAILING_FIELDS, type MailingDraft } from './mailing.fields.js';
import type { MailingRecord } from './mailing.queries.js';

/** What a caller wants changed; what is absent stays. */
export type MailingChanges = Partial<MailingDraft>;

export interface Edit {
  draft: MailingDraft;
  changed: ReadonlySet<keyof MailingDraft>;
}

/**
 * The mailing after `changes` at `now`, by the database's clock. Setting a field to what it
 * already is does not count as a change, so that a PUT of what was read is always allowed.
 *
 * @throws DomainError `conflict` that names each field which may not change any more;
 *   `invalid` for an end in the past or before the start.
 */
export function editMailing(current: MailingRecord, changes: MailingChanges, now: Date): Edit {
  const draft: MailingDraft = { ...current, ...changes };
  const changed = new Set(MAILING_FIELDS.filter((field) => !same(field, current, draft)));

  const status = hasEnded(current, now) ? 'completed' : current.status;
  const locked = [...changed].filter((field) => !mayChange(field, status));
  if (locked.length > 0) {
    throw new DomainError(
      'conflict',
      `The mailing is ${status}: ${locked.join(', ')} can no longer change`,
      locked.map((path) => ({ path, message: `can not change while the mailing is ${status}` })),
    ).because('mailing_status', { status, fields: locked });
  }
  if (changed.has('endAt') && draft.endAt <= now) {
    throw new DomainError('invalid', 'The new end is in the past', [
      { path: 'endAt', message: 'must be in the future' },
    ]);
  }
  const fault = orderFault(draft.startAt, draft.endAt);
  if (fault) throw new DomainError('invalid', 'The mailing would end before it starts', [fault]);
  return { draft, changed };
}

export function orderFault(startAt: Date, endAt: Date): FieldError | null {
  return endAt > startAt ? null : { path: 'endAt', message: 'must be after startAt' };
}

/** Whether any slot can differ after the edit. */
export function changesSchedule({ changed }: Edit): boolean {
  return changed.has('startAt') || changed.has('endAt') || changed.has('window');
}

/** The mailing has ended from `endAt` on, also before beat has written it. */
function hasEnded(mailing: MailingRecord, now: Date): boolean {
  return (mailing.status === 'running' || mailing.status === 'paused') && mailing.endAt <= now;
}

function mayChange(field: keyof MailingDraft, status: MailingRecord['status']): boolean {
  switch (status) {
    case 'scheduled':
      return true;
    case 'running':
    case 'paused':
      return editableUntil(field) !== 'start';
    case 'completed':
    case 'cancelled':
      return editableUntil(field) === 'ever';
  }
}

function same(field: keyof MailingDraft, one: MailingDraft, other: MailingDraft): boolean {
  return comparable(one[field]) === comparable(other[field]);
}

function comparable(value: MailingDraft[keyof MailingDraft]): unknown {
  if (value instanceof Date) return value.getTime();
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return JSON.stringify(value);
  return JSON.stringify('from' in value ? [value.from, value.to, value.timezone] : lists(value));
}

/** A filter is a set of sets: order and repetition mean nothing. */
function lists(filter: AudienceFilter): string[][] {
  return [filter.operatorCodes, filter.tags, filter.phones].map((list) =>
    [...new Set(list)].sort(),
  );
}
