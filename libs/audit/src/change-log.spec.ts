import { ChangeLog } from './change-log.js';

describe('the log of changes', () => {
  let lines: unknown[][];
  let changes: ChangeLog;

  beforeEach(() => {
    lines = [];
    changes = new ChangeLog({ info: (...words: unknown[]) => void lines.push(words) });
  });

  it('names who sent the request, from where, and the request', () => {
    const requester = { id: 4, name: 'crm', role: 'operator', address: '10.0.0.7' } as const;
    changes.add({ kind: 'key', ...requester, requestId: 'r-1' }, 'mailing.pause', 12);
    expect(lines).toEqual([
      [
        {
          action: 'mailing.pause',
          object: 12,
          actor: 'key:4',
          actorName: 'crm',
          address: '10.0.0.7',
          reqId: 'r-1',
        },
        'changed',
      ],
    ]);
  });

  it('names a process that changed something by itself', () => {
    changes.add({ kind: 'system', name: 'api' }, 'api_key.bootstrap', 'bootstrap');
    expect(lines).toEqual([
      [
        {
          action: 'api_key.bootstrap',
          object: 'bootstrap',
          actor: 'system:api',
          actorName: 'api',
        },
        'changed',
      ],
    ]);
  });
});
