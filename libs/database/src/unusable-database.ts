import { HealthFault, type HealthFaultOptions } from '@app/platform';

/** The database answers, and we cannot work with it as it is. The message tells an operator why. */
export class UnusableDatabase extends HealthFault {
  override readonly name = 'UnusableDatabase';

  constructor(words: string, options: HealthFaultOptions = {}) {
    super(words, { code: 'database_unusable', ...options });
  }
}

export const IS_STANDBY = 'the database is read-only: the server is a standby';
export const IS_READ_ONLY = 'the database is read-only: default_transaction_read_only is on';
