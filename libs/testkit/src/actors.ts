import { type Actor, ChangeLog } from '@app/audit';

/** The actor of a test that is not about actors. */
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
