import { Controller, Get, HttpCode, Logger, Module, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { messageOf } from '../errors/domain-error.js';

/**
 * Resolves when the thing works; rejects with the reason when it does not. Probes are open to
 * strangers: only the words of a `HealthFault` are in the answer, those of any other error are in the log.
 */
export type HealthCheck = () => Promise<unknown>;

/** Why a check fails, in words of our own that anybody may read. */
export class HealthFault extends Error {
  override readonly name: string = 'HealthFault';
}

const CHECK_TIMEOUT_MS = 2_000;
const IN_THE_LOG = 'does not work; the reason is in the log';

/** What this process depends on. `live` asks whether it should be restarted, `ready` whether it can work. */
class Health {
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

  async report(kind: 'live' | 'ready'): Promise<{ ok: boolean; checks: Record<string, string> }> {
    const results = await Promise.all(
      [...this.checks[kind]].map(async ([name, check]) => {
        const fault = await faultOf(check);
        this.log(`${kind}: ${name}`, fault);
        return [name, fault === null ? 'ok' : wordsOf(fault)] as const;
      }),
    );
    return { ok: results.every(([, text]) => text === 'ok'), checks: Object.fromEntries(results) };
  }

  /** One line when a check begins to fail, fails for another reason, or works again. */
  private log(check: string, fault: unknown): void {
    const before = this.failing.get(check);
    if (fault === null) {
      if (this.failing.delete(check)) this.logger.log(`${check} works again`);
      return;
    }
    // Numbers in it, such as seconds, make no other reason of it.
    const reason = messageOf(fault).replaceAll(/\d+/g, '#');
    this.failing.set(check, reason);
    if (reason !== before) this.logger.warn(`${check} fails: ${messageOf(fault)}`);
  }
}

function wordsOf(fault: unknown): string {
  return fault instanceof HealthFault ? fault.message : IN_THE_LOG;
}

/** What it rejects with; null when it works. */
async function faultOf(check: HealthCheck): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new HealthFault(`no answer within ${CHECK_TIMEOUT_MS} ms`));
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
    const { ok, checks } = await health.report(kind);
    reply.status(ok ? 200 : 503);
    return { status: ok ? 'ok' : 'error', checks };
  }
}

@Module({ controllers: [HealthController] })
export class HealthModule {}
