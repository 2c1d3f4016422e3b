import { type ArgumentsHost, Catch, type ExceptionFilter, Logger } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { problemOf, sendProblem } from './problems/problem.js';

/** The one place where errors become answers: RFC 9457 problem details. */
@Catch()
export class DomainErrorFilter implements ExceptionFilter {
  private readonly logger = new Logger('Http');

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const content = problemOf(error);
    if (content.status >= 500) this.report(error, request, content.status);
    sendProblem(http.getResponse<FastifyReply>(), content);
  }

  private report(error: unknown, { method, routeOptions }: FastifyRequest, status: number): void {
    const route = `${method} ${routeOptions.url ?? 'unknown'}`;
    const reason = error instanceof Error ? error.message : String(error);
    if (status === 503) this.logger.warn(`${route} answered 503: ${reason}`);
    else this.logger.error(error instanceof Error ? (error.stack ?? reason) : reason, route);
  }
}
