import { type ArgumentsHost, Catch, type ExceptionFilter, Logger } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { DomainError } from '@app/platform';
import { problemOf, sendProblem } from './problem.js';

/** An outage refuses every request: one line a second is enough. */
const OUTAGE_LOG_MS = 1_000;

/** The one place where errors become answers: RFC 9457 problem details. */
@Catch()
export class DomainErrorFilter implements ExceptionFilter {
  private readonly logger = new Logger('Http');
  private outageLoggedAt = Number.NEGATIVE_INFINITY;

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const content = problemOf(error);
    if (content.status >= 500) this.report(error, request, content.status);
    const reply = http.getResponse<FastifyReply>();
    if (error instanceof DomainError && error.retryAfterS !== undefined) {
      void reply.header('retry-after', String(error.retryAfterS));
    }
    sendProblem(reply, content);
  }

  private report(error: unknown, { method, routeOptions }: FastifyRequest, status: number): void {
    const route = `${method} ${routeOptions.url ?? 'unknown'}`;
    const reason = error instanceof Error ? error.message : String(error);
    if (status === 503) this.reportOutage(`${route} answered 503: ${reason}`);
    else this.logger.error(error instanceof Error ? (error.stack ?? reason) : reason, route);
  }

  private reportOutage(message: string): void {
    const now = performance.now();
    if (now - this.outageLoggedAt < OUTAGE_LOG_MS) return;
    this.outageLoggedAt = now;
    this.logger.warn(message);
  }
}
