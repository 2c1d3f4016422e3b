import { TEST_POSTGRES, TEST_POSTGRES_15 } from '@app/testkit';

/** The engine's statements and the migrations, again on the oldest version that we support. */
const SUITES = [
  '../../database/src/migrations.spec',
  './plan/plan.spec',
  './dispatch/lane-dispatcher.spec',
  '../../messages/src/claim/claim.spec',
  '../../messages/src/record/record.spec',
  './finish/finish.spec',
  '../../messages/src/lock-order.spec',
  '../../../test/e2e/mailings-delivery.spec',
];

const oldest = process.env[TEST_POSTGRES_15];
if (oldest === undefined) {
  it.skip('is left out: PostgreSQL 15 is not installed', () => undefined);
} else {
  process.env[TEST_POSTGRES] = oldest;
  describe('on PostgreSQL 15', () => {
    for (const suite of SUITES) jest.requireActual(suite);
  });
}
