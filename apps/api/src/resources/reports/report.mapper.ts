import {
  type DailyContent,
  type DailyTotals,
  type ReportDay,
  type ReportRecord,
  successRate,
} from '@app/reports';
import type { ActivityDto, DailyContentDto, ReportDayDto, ReportDto } from './report.dto.js';

export function toReport(report: ReportRecord): ReportDto {
  return {
    id: report.id,
    kind: report.kind,
    key: report.key,
    transport: report.transport,
    requested: report.requested,
    date: report.date,
    mailingId: report.mailingId,
    from: report.periodFrom,
    to: report.periodTo,
    status: report.status,
    recipients: report.recipients,
    accepted: report.accepted,
    refused: report.refused,
    attempts: report.attempts,
    nextAttemptAt: report.status === 'pending' ? report.notBefore : null,
    possibleDuplicate: report.possibleDuplicate,
    sentAt: report.sentAt,
    answer: report.answer,
    errorCode: report.errorCode,
    error: report.error,
    createdAt: report.createdAt,
  };
}

export function toReportDay({ date, content, reports }: ReportDay): ReportDayDto {
  return { date, content: content && toContent(content), reports: reports.map(toReport) };
}

function toContent(content: DailyContent): DailyContentDto {
  const { from, to, totals, before, mailings, unlisted, reasons } = content;
  return {
    from,
    to,
    totals: { ...toActivity(totals), pending: totals.pending },
    before: toActivity(before),
    mailings: mailings.map((mailing) => ({ ...mailing, successRate: successRate(mailing) })),
    unlisted,
    reasons,
  };
}

function toActivity(totals: DailyTotals): ActivityDto {
  const { mailings, sent, failed, expired, cancelled, unknown } = totals;
  return {
    mailings,
    sent,
    failed,
    expired,
    cancelled,
    unknown,
    successRate: successRate(totals),
  };
}
