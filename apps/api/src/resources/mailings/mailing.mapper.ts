import type { AudienceFilter } from '@app/database';
import {
  type MailingChanges,
  type MailingRecord,
  nameOfText,
  type NewMailing,
  type Preview,
  type PreviewRequest,
  windowOf,
} from '@app/mailings';
import { recipientsOf } from '@app/reports';
import type { MailingDto } from './mailing.dto.js';
import type {
  CreateMailingDto,
  FilterInputDto,
  PreviewMailingDto,
  ReplaceMailingDto,
  UpdateMailingDto,
  WindowInputDto,
} from './mailing-input.dto.js';
import type { PreviewDto } from './preview.dto.js';
import { parseInstant } from '../../http/fields/instants.js';

export function toMailing(mailing: MailingRecord): MailingDto {
  return {
    id: mailing.id,
    name: mailing.name,
    channel: mailing.channel,
    text: mailing.text,
    textVersion: mailing.textVersion,
    filter: mailing.filter,
    startAt: mailing.startAt,
    endAt: mailing.endAt,
    window: windowOf(mailing),
    ratePerSecond: mailing.ratePerSecond,
    maxTries: mailing.maxTries,
    reportTo: mailing.reportTo,
    report: mailing.report,
    status: mailing.status,
    endedAt: mailing.endedAt,
    finishedAt: mailing.finishedAt,
    createdAt: mailing.createdAt,
    updatedAt: mailing.updatedAt,
  };
}

export function toNewMailing(dto: CreateMailingDto): NewMailing {
  return { ...wholeOf(dto), startAt: dto.startAt === undefined ? null : instant(dto.startAt) };
}

/** A replacement sets every field but the start, which stays when it is left out. */
export function toReplacement(dto: ReplaceMailingDto): MailingChanges {
  return {
    ...wholeOf(dto),
    ...(dto.startAt !== undefined && { startAt: instant(dto.startAt) }),
  };
}

/** Only the fields that are there. */
export function toChanges(dto: UpdateMailingDto): MailingChanges {
  return {
    ...(dto.name !== undefined && { name: dto.name }),
    ...(dto.channel !== undefined && { channel: dto.channel }),
    ...(dto.text !== undefined && { text: dto.text }),
    ...(dto.filter !== undefined && { filter: filterOf(dto.filter) }),
    ...(dto.startAt !== undefined && { startAt: instant(dto.startAt) }),
    ...(dto.endAt !== undefined && { endAt: instant(dto.endAt) }),
    ...(dto.window !== undefined && { window: windowOfInput(dto.window) }),
    ...(dto.ratePerSecond !== undefined && { ratePerSecond: dto.ratePerSecond }),
    ...(dto.maxTries !== undefined && { maxTries: dto.maxTries }),
    ...(dto.reportTo !== undefined && { reportTo: recipientsOf(dto.reportTo) }),
    ...(dto.report !== undefined && { report: dto.report }),
  };
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

function wholeOf(dto: CreateMailingDto | ReplaceMailingDto): Omit<NewMailing, 'startAt'> {
  return {
    name: dto.name ?? nameOfText(dto.text),
    channel: dto.channel ?? 'notification',
    text: dto.text,
    filter: filterOf(dto.filter),
    endAt: instant(dto.endAt),
    window: windowOfInput(dto.window),
    ratePerSecond: dto.ratePerSecond ?? null,
    maxTries: dto.maxTries ?? null,
    reportTo: recipientsOf(dto.reportTo ?? []),
    report: dto.report ?? true,
  };
}

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
