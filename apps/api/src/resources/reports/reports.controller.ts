import { Controller, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse, ApiParam, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { Actor } from '@app/audit';
import type { IdempotentRequest } from '@app/idempotency';
import { ReportService } from '@app/reports';
import { CurrentActor } from '../../http/auth/caller.js';
import { Idempotent, IdempotencyKey, tellReplayed } from '../../http/idempotency/idempotent.js';
import { Refuses } from '../../http/openapi/refuses.js';
import { DatePipe } from './date.pipe.js';
import { ReportDayDto, ReportDto, ReportListQueryDto, ReportPageDto } from './report.dto.js';
import { toReport, toReportDay } from './report.mapper.js';

@ApiTags('reports')
@Controller('reports')
export class ReportsController {
  constructor(private readonly reports: ReportService) {}

  /** List reports and alerts, newest first. The list has those to be sent and those that were sent. */
  @Get()
  @ApiOkResponse({ type: ReportPageDto })
  async listReports(@Query() query: ReportListQueryDto): Promise<ReportPageDto> {
    const { items, nextCursor } = await this.reports.list(query);
    return { items: items.map(toReport), nextCursor };
  }

  /** Read the daily report of a date. The answer has its content, and when it was sent to whom. */
  @Get(':date')
  @ApiParam({ name: 'date', example: '2030-03-02', schema: { type: 'string', format: 'date' } })
  @ApiOkResponse({ type: ReportDayDto })
  async getReportDay(@Param('date', DatePipe) date: string): Promise<ReportDayDto> {
    return toReportDay(await this.reports.day(date));
  }

  /**
   * Send the daily report of a date, again or for the first time. For an earlier day it has
   * the content of the scheduled report, for today that of the last day up to now. The scheduled report
   * is not changed. It is sent in the background; `GET /reports/{date}` has its outcome.
   * Days are those of `SERVER_TIMEZONE`. At most 20 may be asked for within an hour.
   */
  @Post(':date/send')
  @HttpCode(202)
  @Idempotent({ service: ReportService, toDto: toReport })
  @ApiParam({ name: 'date', example: '2030-03-02', schema: { type: 'string', format: 'date' } })
  @ApiAcceptedResponse({ type: ReportDto, description: 'It will be sent' })
  @Refuses(
    409,
    'The report that this Idempotency-Key asked for has been deleted',
    'idempotent_resource_deleted',
  )
  @Refuses(
    422,
    'The date has not begun, or the Idempotency-Key was used with another date',
    'date_not_begun',
    'idempotency_key_reused',
  )
  @Refuses(
    429,
    'Too many were asked for; `Retry-After` says in how many seconds it is allowed again',
    'too_many_reports',
  )
  async sendReport(
    @CurrentActor() actor: Actor,
    @Param('date', DatePipe) date: string,
    @IdempotencyKey() request: IdempotentRequest | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ReportDto> {
    const { resource, replayed } = await this.reports.send(actor, date, request);
    tellReplayed(reply, replayed);
    return toReport(resource);
  }
}
