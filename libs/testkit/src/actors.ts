import { type Actor, ChangeLog } from '@app/audit';

/** Whoever changes something in a test that is not about who. */
export const someActor: Actor = {
  kind: 'key',
  id: 1,
  name: 'test',
  role: 'admin',
  address: '127.0.0.1',
  requestId: 'test',
};

/** For services whose test is not about the log. */
export const unheard = new ChangeLog({ info: () => undefined });
