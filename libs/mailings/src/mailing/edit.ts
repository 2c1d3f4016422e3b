import type { AudienceFilter } from '@app/database';
import { DomainError, type FieldError, type LocalWindow } from '@app/platform';
import type { MailingDraft, MailingRecord } from './mailing.queries.js';

/** What a caller wants changed; what is absent stays. */
export type MailingChanges = Partial<MailingDraft>;

export interface Edit {
  draft: MailingDraft;
  changed: ReadonlySet<keyof MailingDraft>;
}

/** A mailing that has ended is history: only what people call it may change. */
const EDITABLE_WHEN_ENDED: readonly (keyof MailingDraft)[] = ['name'];
const EDITABLE_WHILE_RUNNING: readonly (keyof MailingDraft)[] = [
  'name',
  'text',
  'endAt',
  'window',
  'ratePerSecond',
  'reportTo',
  'report',
];

/**
 * What `changes` make of a mailing at `now`, by the database's clock. Setting a field to what it
 * already is does not count as a change, so that a PUT of what was read is always allowed.
 *
 * @throws DomainError `conflict` that names each field which may not change any more;
 *   `invalid` for an end in the past or before the start.
 */
export function editMailing(current: MailingRecord, changes: MailingChanges, now: Date): Edit {
  const before = draftOf(current);
  const draft: MailingDraft = { ...before, ...changes };
  const fields = Object.keys(before) as (keyof MailingDraft)[];
  const changed = new Set(fields.filter((field) => !same(field, before, draft)));

  const status = hasEnded(current, now) ? 'completed' : current.status;
  const locked = [...changed].filter((field) => !editableFields(status).includes(field));
  if (locked.length > 0) {
    throw new DomainError(
      'conflict',
      `The mailing is ${status}: ${locked.join(', ')} can no longer change`,
      locked.map((path) => ({ path, message: `can not change while the mailing is ${status}` })),
    );
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

/** The end counts from its very moment, not from when beat gets to write it down. */
function hasEnded(mailing: MailingRecord, now: Date): boolean {
  return (mailing.status === 'running' || mailing.status === 'paused') && mailing.endAt <= now;
}

function editableFields(status: MailingRecord['status']): readonly (keyof MailingDraft)[] {
  switch (status) {
    case 'scheduled':
      return [...EDITABLE_WHILE_RUNNING, 'channel', 'filter', 'startAt', 'maxTries'];
    case 'running':
    case 'paused':
      return EDITABLE_WHILE_RUNNING;
    case 'completed':
    case 'cancelled':
      return EDITABLE_WHEN_ENDED;
  }
}

export function windowOf(
  mailing: Pick<MailingRecord, 'windowFrom' | 'windowTo' | 'windowTimezone'>,
): LocalWindow | null {
  const { windowFrom: from, windowTo: to, windowTimezone: timezone } = mailing;
  return from !== null && to !== null && timezone !== null ? { from, to, timezone } : null;
}

function draftOf(mailing: MailingRecord): MailingDraft {
  return {
    name: mailing.name,
    channel: mailing.channel,
    text: mailing.text,
    filter: mailing.filter,
    startAt: mailing.startAt,
    endAt: mailing.endAt,
    window: windowOf(mailing),
    ratePerSecond: mailing.ratePerSecond,
    maxTries: mailing.maxTries,
    reportTo: mailing.reportTo,
    report: mailing.report,
  };
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

/** A filter is a set of sets: order and repetition say nothing. */
function lists(filter: AudienceFilter): string[][] {
  return [filter.operatorCodes, filter.tags, filter.phones].map((list) =>
    [...new Set(list)].sort(),
  );
}
