export { type DailyContent, type DailyTotals, successRate } from './content.js';
export { recipientsOf } from './recipients.js';
export type { ReportRecord } from './report.queries.js';
export { type ReportDay, ReportService } from './report.service.js';
export { type ReportOptions, Reports } from './reports.js';
export type { ReportSettings } from './settings.js';
