import { Controller, Get, HttpCode, Logger, Module, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { messageOf } from '../errors/domain-error.js';

/**
 * Resolves when the dependency works; rejects with the reason when it does not. Probes are open to
 * everybody: only the words of a `HealthFault` are in the answer, those of any other error are in the log.
 */
export type HealthCheck = () => Promise<unknown>;

/** The code of a fault without one of its own. */
const FAILED = 'failed';

export interface HealthFaultOptions extends ErrorOptions {
  /** For programs and translations; stays what it is when the words change. */
  code?: string;
  /** What the code is about: names, numbers. Everybody may read it. */
  data?: Record<string, unknown>;
}

/** Why a check fails, in words of our own that anybody may read. */
export class HealthFault extends Error {
  override readonly name: string = 'HealthFault';
  readonly code: string;
  readonly data: Record<string, unknown>;

  constructor(words: string, { code = FAILED, data = {}, ...options }: HealthFaultOptions = {}) {
    super(words, options);
    this.code = code;
    this.data = data;
  }
}

/** A failed check, as the answer of a probe names it. */
export interface FailedCheck {
  check: string;
  code: string;
  words: string;
  data: Record<string, unknown>;
}

export interface HealthReport {
  ok: boolean;
  /** By name: `ok`, or the words of the fault. */
  checks: Record<string, string>;
  faults: FailedCheck[];
}

const CHECK_TIMEOUT_MS = 2_000;
const IN_THE_LOG = 'does not work; the reason is in the log';

/** What this process depends on. `live` asks whether it should be restarted, `ready` whether it can work. */
export class Health {
  private readonly checks = {
    live: new Map<string, HealthCheck>(),
    ready: new Map<string, HealthCheck>(),
  };
  private readonly logger = new Logger('Health');
  /** The reason of each check that fails, as it was logged. */
  private readonly failing = new Map<string, string>();

  register(kind: 'live' | 'ready', name: string, check: HealthCheck): void {
    this.checks[kind].set(name, check);
  }

  async report(kind: 'live' | 'ready'): Promise<HealthReport> {
    const results = await Promise.all(
      [...this.checks[kind]].map(async ([name, check]) => {
        const fault = await faultOf(check);
        this.log(`${kind}: ${name}`, fault);
        return { name, fault: fault === null ? null : failedCheck(name, fault) };
      }),
    );
    const faults = results.flatMap(({ fault }) => fault ?? []);
    return {
      ok: faults.length === 0,
      checks: Object.fromEntries(results.map(({ name, fault }) => [name, fault?.words ?? 'ok'])),
      faults,
    };
  }

  /** One line when a check begins to fail, fails for another reason, or works again. */
  private log(check: string, fault: unknown): void {
    const before = this.failing.get(check);
    if (fault === null) {
      if (this.failing.delete(check)) this.logger.log(`${check} works again`);
      return;
    }
    // Words that differ only in numbers, such as seconds, are the same reason.
    const reason = messageOf(fault).replaceAll(/\d+/g, '#');
    this.failing.set(check, reason);
    if (reason !== before) this.logger.warn(`${check} fails: ${messageOf(fault)}`);
  }
}

function failedCheck(check: string, fault: unknown): FailedCheck {
  if (!(fault instanceof HealthFault)) return { check, code: FAILED, words: IN_THE_LOG, data: {} };
  return { check, code: fault.code, words: fault.message, data: fault.data };
}

/** The error of the check; null when it works. */
async function faultOf(check: HealthCheck): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const data = { ms: CHECK_TIMEOUT_MS };
      reject(new HealthFault(`no answer within ${CHECK_TIMEOUT_MS} ms`, { code: 'timeout', data }));
    }, CHECK_TIMEOUT_MS);
  });
  try {
    await Promise.race([check(), timeout]);
    return null;
  } catch (error) {
    return error ?? new Error('no reason given');
  } finally {
    clearTimeout(timer);
  }
}

/** The registry of this process; modules add their checks to it. */
export const health = new Health();

interface Reply {
  status(code: number): unknown;
}

@ApiExcludeController()
@Controller('health')
class HealthController {
  @Get('live')
  @HttpCode(200)
  live(@Res({ passthrough: true }) reply: Reply) {
    return this.answer('live', reply);
  }

  @Get('ready')
  @HttpCode(200)
  ready(@Res({ passthrough: true }) reply: Reply) {
    return this.answer('ready', reply);
  }

  private async answer(kind: 'live' | 'ready', reply: Reply) {
    const { ok, checks, faults } = await health.report(kind);
    reply.status(ok ? 200 : 503);
    return { status: ok ? 'ok' : 'error', checks, faults };
  }
}

@Module({ controllers: [HealthController] })
export class HealthModule {}
