import { type DynamicModule, Module } from '@nestjs/common';
import { ChangeLog } from '@app/audit';
import type { Logger } from '@app/platform';

/** The log of changes, for every module: what was changed, and by whom. */
@Module({})
export class AuditModule {
  static with(logger: Logger): DynamicModule {
    const log = [{ provide: ChangeLog, useValue: new ChangeLog(logger) }];
    return { module: AuditModule, global: true, providers: log, exports: log };
  }
}
