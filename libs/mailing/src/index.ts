export { SlotsService } from './plan/slots.service.js';
export { PlanService } from './plan/plan.service.js';
export { DispatchService, type DispatchOptions } from './dispatch/dispatch.service.js';
export { forgetQueueTroubles, noteQueueTrouble } from './dispatch/queue-trouble.queries.js';
export { DeliverService, type DeliverOptions } from './deliver/deliver.service.js';
export { FinishService } from './finish/finish.service.js';
export { nextSlot, UnknownTimezoneError } from './plan/slots.js';
export { configureLane, readLaneToken } from './deliver/lanes.queries.js';
export { passGate } from './control/gate.js';
export { databaseOf, inTransaction } from './control/transaction.js';
export { decodeCursor, encodeCursor, type Page, pageOf } from './control/cursor.js';
export type { IdempotentRequest } from './control/idempotency.queries.js';
export { type MailingChanges, windowOf } from './control/edit.js';
export type { MailingDraft, MailingRecord, NewMailing } from './control/mailing.queries.js';
export { nameOfText } from './control/mailing-name.js';
export { type Created, MailingService } from './control/mailing.service.js';
export { ReportService, type ReportDay } from './report/report.service.js';
export type { ReportRecord } from './report/report.queries.js';
export {
  type DailyContent,
  type DailyMailing,
  type DailyTotals,
  type Reason,
  successRate,
} from './report/content.js';
export { type ReportOptions, Reports } from './report/reports.js';
export { recipientsOf } from './report/recipients.js';
export type { ReportSettings } from './report/settings.js';
export { MailingControlService } from './control/mailing-control.service.js';
export { type Preview, type PreviewRequest, PreviewService } from './control/preview.service.js';
export { ChannelService, type ChannelView } from './control/channel.service.js';
export {
  type GeneralStatistics,
  type MailingStatistics,
  StatisticsService,
} from './statistics/statistics.service.js';
export { type MessageDetail, MessageService } from './statistics/message.service.js';
export type { MessageRecord } from './statistics/message.queries.js';
export { NEXT_STEPS, type NextStepKind } from './statistics/next-step.js';
export { ClientsService, type ClientDraft } from './directory/clients.service.js';
export type { ClientFilter, ClientMessageRow, ClientRow } from './directory/clients.queries.js';
export { TagsService } from './directory/tags.service.js';
export type { TagRow } from './directory/tags.queries.js';
