import { type DynamicModule, Module } from '@nestjs/common';
import { ChangeLog } from '@app/audit';
import type { Logger } from '@app/platform';

/** Where every module says what it has changed, and for whom. */
@Module({})
export class AuditModule {
  static with(logger: Logger): DynamicModule {
    const log = [{ provide: ChangeLog, useValue: new ChangeLog(logger) }];
    return { module: AuditModule, global: true, providers: log, exports: log };
  }
}
