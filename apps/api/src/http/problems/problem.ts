import { STATUS_CODES } from 'node:http';
import { HttpException } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { DomainError, type DomainErrorCode, type FieldError } from '@app/platform';
import { isOutage, isSchemaMissing } from '@app/database';
import { MAX_FIELD_ERRORS } from './invalid-fields.js';
import type { ProblemDto } from './problem.dto.js';

const STATUS_OF: Record<DomainErrorCode, number> = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  precondition_failed: 412,
  too_large: 413,
  unprocessable: 422,
  too_many_requests: 429,
  unavailable: 503,
};
const CODE_OF = new Map(Object.entries(STATUS_OF).map(([code, status]) => [status, code]));

/** The problem that an error stands for. The problem of an unexpected error shows nothing of our internals. */
export function problemOf(error: unknown): ProblemDto {
  if (error instanceof DomainError) {
    const { reason: code, data } = error;
    return { ...problem(STATUS_OF[error.code], error.message, error.errors), code, data };
  }
  if (error instanceof HttpException) return problem(error.getStatus(), error.message);
  if (isOutage(error)) {
    return problem(503, 'The database cannot be reached at the moment; try again shortly');
  }
  if (isSchemaMissing(error)) {
    return problem(503, 'The database lacks our tables, or newer ones of them: run the migrations');
  }
  const status = frameworkStatus(error);
  if (status !== undefined) return problem(status, (error as Error).message);
  return problem(500, 'Something went wrong on our side; the details are in the log');
}

export function problem(status: number, detail: string, errors: FieldError[] = []): ProblemDto {
  const code = CODE_OF.get(status) ?? slug(status);
  return {
    type: `urn:posthorn:problem:${code}`,
    title: STATUS_CODES[status] ?? 'Error',
    status,
    detail,
    code,
    data: {},
    errors: errors.slice(0, MAX_FIELD_ERRORS),
  };
}

/** Answers with a problem, whatever the route's own content type is. */
export function sendProblem(reply: FastifyReply, content: ProblemDto): void {
  const { status } = content;
  if (status === 401) void reply.header('www-authenticate', 'Bearer realm="posthorn"');
  if (status === 403) {
    void reply.header('www-authenticate', 'Bearer realm="posthorn", error="insufficient_scope"');
  }
  if (status === 503) void reply.header('retry-after', '1');
  void reply
    .code(status)
    .header('content-type', 'application/problem+json; charset=utf-8')
    .send(JSON.stringify(content));
}

/** Fastify's own refusals: an unreadable URL, a path parameter that is too long. */
function frameworkStatus(error: unknown): number | undefined {
  const { name, statusCode } = (error ?? {}) as { name?: unknown; statusCode?: unknown };
  const known = name === 'FastifyError' && typeof statusCode === 'number' && statusCode < 500;
  return known ? statusCode : undefined;
}

function slug(status: number): string {
  return (STATUS_CODES[status] ?? 'error').toLowerCase().replaceAll(/[^a-z]+/g, '_');
}
