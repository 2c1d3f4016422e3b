export type { ContentVersion } from './content/contents.queries.js';
export { ContentsService } from './content/contents.service.js';
export { MailingControlService } from './control/mailing-control.service.js';
export type { MailingChanges } from './mailing/edit.js';
export { MAILING_DEFAULTS, MAILING_FIELDS, type MailingDraft } from './mailing/mailing.fields.js';
export { nameOfText } from './mailing/mailing-name.js';
export {
  insertMailingIfNotEnded,
  listMailings,
  type MailingRecord,
  type NewMailing,
} from './mailing/mailing.queries.js';
export { MailingService } from './mailing/mailing.service.js';
export { type Preview, type PreviewRequest, PreviewService } from './preview/preview.service.js';
export type { MessageRecord } from './statistics/message.queries.js';
export { type MessageDetail, MessageService } from './statistics/message.service.js';
export { NEXT_STEP_WORDS, NEXT_STEPS, type NextStepKind } from './statistics/next-step.js';
export { readGeneralStatistics } from './statistics/statistics.queries.js';
export { StatisticsService } from './statistics/statistics.service.js';
