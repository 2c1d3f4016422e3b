import type { Content } from '@app/channels';
import type { AudienceFilter, ChannelName } from '@app/database';
import { DEFAULT_CHANNEL, kindOf } from '@app/lanes';
import type { LocalWindow } from '@app/platform';

/** What a caller decides about a mailing. */
export interface MailingDraft {
  name: string;
  channel: ChannelName;
  text: string;
  filter: AudienceFilter;
  startAt: Date;
  endAt: Date;
  window: LocalWindow | null;
  /** Messages per second; null: as fast as the channel takes them. */
  ratePerSecond: number | null;
  /** Tries per message before it fails; null: until the end. */
  maxTries: number | null;
  /** Who gets the completion report besides those of the settings. */
  reportTo: string[];
  /** Whether there is a completion report. */
  report: boolean;
}

/** Until when a field may change. After its end nothing may. */
export type EditableUntil = 'start' | 'end' | 'ever';

interface Field<Value> {
  editable: EditableUntil;
  /** SQL of its value, from `mailings g` and `c`, its current row of `mailing_contents`. */
  read: string;
  /** Its columns, and what of the value each of them stores. */
  columns: Readonly<Record<string, (value: Value) => unknown>>;
  /** Whether it is part of the content, whose versions are in `mailing_contents`. */
  inContent?: true;
}

/**
 * Every field that a caller decides: reading, inserting, writing and the rules of an edit follow from
 * this table. A new one needs a line here, one in each of the two DTOs, a default below if it may be left
 * out, and its column in the entity and in a migration, or, if it is content, its place in the schema of
 * the channels that know it.
 */
const FIELDS: { readonly [Name in keyof MailingDraft]: Field<MailingDraft[Name]> } = {
  name: column('name', 'ever'),
  channel: column('channel', 'start'),
  text: ofContent('text', 'end'),
  filter: column('filter', 'start', (filter) => JSON.stringify(filter)),
  startAt: column('start_at', 'start'),
  endAt: column('end_at', 'end'),
  window: {
    editable: 'end',
    read: `CASE WHEN g.window_from IS NOT NULL THEN
      json_build_object('from', g.window_from, 'to', g.window_to, 'timezone', g.window_timezone) END`,
    columns: {
      window_from: (window) => window?.from ?? null,
      window_to: (window) => window?.to ?? null,
      window_timezone: (window) => window?.timezone ?? null,
    },
  },
  ratePerSecond: column('rate_per_second', 'end'),
  maxTries: column('max_tries', 'start'),
  reportTo: column('report_to', 'end'),
  report: column('report_enabled', 'end'),
};

function column<Value>(
  name: string,
  editable: EditableUntil,
  store: (value: Value) => unknown = (value) => value,
): Field<Value> {
  return { editable, read: `g.${name}`, columns: { [name]: store } };
}

function ofContent<Value>(name: string, editable: EditableUntil): Field<Value> {
  return { editable, read: `c.content -> '${name}'`, columns: {}, inContent: true };
}

/** Defaults of a new mailing. */
export const MAILING_DEFAULTS = {
  channel: DEFAULT_CHANNEL,
  filter: { operatorCodes: [], tags: [], phones: [] },
  window: null,
  ratePerSecond: null,
  maxTries: null,
  reportTo: [],
  report: true,
} satisfies Partial<MailingDraft>;

export const MAILING_FIELDS = Object.keys(FIELDS) as readonly (keyof MailingDraft)[];

export function editableUntil(field: keyof MailingDraft): EditableUntil {
  return FIELDS[field].editable;
}

/** The select list of all fields, from `mailings g` and its content `c`. */
export const READ_FIELDS = MAILING_FIELDS.map((name) => `${FIELDS[name].read} AS "${name}"`).join(
  ', ',
);

/** The columns of all fields; `valuesOf` gives their values in the same order. */
export const FIELD_COLUMNS: readonly string[] = MAILING_FIELDS.flatMap((name) =>
  Object.keys(FIELDS[name].columns),
);

/** @param draft what a column that is left out takes (`startAt` null is now) is decided by the statement. */
export function valuesOf(
  draft: Omit<MailingDraft, 'startAt'> & { startAt: Date | null },
): unknown[] {
  return MAILING_FIELDS.flatMap((name) => {
    const stores = Object.values(FIELDS[name].columns) as ((value: unknown) => unknown)[];
    return stores.map((store) => store(draft[name]));
  });
}

/** The content as it is stored: the fields that its channel knows. */
export function contentOf(draft: Omit<MailingDraft, 'startAt'>): Content {
  return kindOf(draft.channel).content.read(draft);
}

/** Whether a change of these fields makes a new version of the content. */
export function changesContent(changed: ReadonlySet<keyof MailingDraft>): boolean {
  if (changed.has('channel')) return true; // another channel has other fields
  return MAILING_FIELDS.some((name) => FIELDS[name].inContent && changed.has(name));
}
