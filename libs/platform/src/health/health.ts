import { Controller, Get, HttpCode, Module, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';

/** Resolves when the thing works; rejects with the reason when it does not. */
export type HealthCheck = () => Promise<unknown>;

const CHECK_TIMEOUT_MS = 2_000;

/** What this process depends on. `live` asks whether it should be restarted, `ready` whether it can work. */
export class Health {
  private readonly checks = {
    live: new Map<string, HealthCheck>(),
    ready: new Map<string, HealthCheck>(),
  };

  register(kind: 'live' | 'ready', name: string, check: HealthCheck): void {
    this.checks[kind].set(name, check);
  }

  async report(kind: 'live' | 'ready'): Promise<{ ok: boolean; checks: Record<string, string> }> {
    const results = await Promise.all(
      [...this.checks[kind]].map(async ([name, check]) => [name, await outcome(check)] as const),
    );
    return { ok: results.every(([, text]) => text === 'ok'), checks: Object.fromEntries(results) };
  }
}

async function outcome(check: HealthCheck): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`no answer within ${CHECK_TIMEOUT_MS} ms`));
    }, CHECK_TIMEOUT_MS);
  });
  try {
    await Promise.race([check(), timeout]);
    return 'ok';
  } catch (error) {
    return error instanceof Error ? error.message || error.name : String(error);
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
