import { Global, Module } from '@nestjs/common';
import { ChangeLog } from '@app/audit';
import { Database } from '@app/database';
import { ApiKeyLookup, ApiKeyService } from '@app/identity';

/** Whose a key is, for the guard, the queue inspector and `/tokens`. */
@Global()
@Module({
  providers: [
    {
      provide: ApiKeyLookup,
      inject: [Database],
      useFactory: (database: Database) => new ApiKeyLookup(database),
    },
    {
      provide: ApiKeyService,
      inject: [Database, ApiKeyLookup, ChangeLog],
      useFactory: (database: Database, lookup: ApiKeyLookup, changes: ChangeLog) =>
        new ApiKeyService(database, lookup, changes),
    },
  ],
  exports: [ApiKeyLookup, ApiKeyService],
})
export class AuthModule {}
