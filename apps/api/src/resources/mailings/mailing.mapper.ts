import type { AudienceFilter } from '@app/database';
import {
  type ContentVersion,
  MAILING_DEFAULTS,
  MAILING_FIELDS,
  type MailingChanges,
  type MailingDraft,
  type MailingRecord,
  nameOfText,
  type NewMailing,
  type Preview,
  type PreviewRequest,
} from '@app/mailings';
import { recipientsOf } from '@app/reports';
import type { ContentVersionDto } from './content.dto.js';
import type { MailingDto } from './mailing.dto.js';
import type {
  CreateMailingDto,
  FilterInputDto,
  PreviewMailingDto,
  MailingInputDto,
  ReplaceMailingDto,
  WindowInputDto,
} from './mailing-input.dto.js';
import type { PreviewDto } from './preview.dto.js';
import { parseInstant } from '../../http/fields/instants.js';

export function toMailing(mailing: MailingRecord): MailingDto {
  return mailing;
}

export function toContentVersion({
  version,
  createdAt,
  content,
}: ContentVersion): ContentVersionDto {
  return { version, createdAt, content: { text: String(content.text) } };
}

export function toNewMailing(dto: CreateMailingDto): NewMailing {
  return { startAt: null, ...wholeOf(dto) };
}

/** A replacement sets every field but the start, which stays when it is left out. */
export function toReplacement(dto: ReplaceMailingDto): MailingChanges {
  return wholeOf(dto);
}

/** Only the fields that are there. */
export function toChanges(dto: Partial<MailingInputDto>): MailingChanges {
  const given = MAILING_FIELDS.filter((name) => dto[name] !== undefined);
  return Object.fromEntries(
    given.map((name) => {
      const parse = PARSERS[name] as ((value: unknown) => unknown) | undefined;
      return [name, parse ? parse(dto[name]) : dto[name]];
    }),
  );
}

export function toPreviewRequest(dto: PreviewMailingDto): PreviewRequest {
  return {
    text: dto.text,
    filter: filterOf(dto.filter),
    startAt: dto.startAt === undefined ? null : instant(dto.startAt),
    endAt: instant(dto.endAt),
    window: windowOfInput(dto.window),
  };
}

export function toPreview({ audience, unreachable, slots, sample }: Preview): PreviewDto {
  return {
    audience,
    unreachable,
    slots: slots.map(({ timezone, clients, slot }) => ({
      timezone,
      clients,
      opensAt: slot?.opensAt ?? null,
      closesAt: slot?.closesAt ?? null,
    })),
    sample: sample && {
      clientId: sample.id,
      phone: sample.phone,
      timezone: sample.timezone,
      text: sample.text,
    },
  };
}

function wholeOf(
  dto: MailingInputDto,
): Omit<NewMailing, 'startAt'> & Pick<MailingChanges, 'startAt'> {
  const { text, endAt } = dto;
  return {
    name: nameOfText(text),
    text,
    endAt: instant(endAt),
    ...MAILING_DEFAULTS,
    ...toChanges(dto),
  };
}

/** The fields whose JSON has another type than what is stored. */
type ParsedField = {
  [Name in keyof MailingDraft]: MailingInputDto[Name] extends MailingDraft[Name] | undefined
    ? never
    : Name;
}[keyof MailingDraft];
type Parse<Name extends keyof MailingDraft> = (
  value: Exclude<MailingInputDto[Name], undefined>,
) => MailingDraft[Name];

const PARSERS: { [Name in keyof MailingDraft]?: Parse<Name> } & {
  [Name in ParsedField]: Parse<Name>;
} = {
  filter: filterOf,
  startAt: instant,
  endAt: instant,
  window: windowOfInput,
  reportTo: recipientsOf,
};

function filterOf(dto: FilterInputDto | undefined): AudienceFilter {
  const unique = (list: string[] | undefined) => [...new Set(list)];
  return {
    operatorCodes: unique(dto?.operatorCodes),
    tags: unique(dto?.tags),
    phones: unique(dto?.phones),
  };
}

function windowOfInput(dto: WindowInputDto | null | undefined): NewMailing['window'] {
  return dto ? { from: dto.from, to: dto.to, timezone: dto.timezone ?? 'client' } : null;
}

function instant(text: string): Date {
  const date = parseInstant(text);
  if (!date) throw new TypeError(`Not an instant after validation: ${text}`);
  return date;
}
