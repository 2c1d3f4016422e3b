import { systemClock } from '@app/platform';
import type { Dispatcher } from 'undici';

import { Call, type Answer } from './call.js';

const controller = { abort: () => undefined } as unknown as Dispatcher.DispatchController;

describe('Call', () => {
  it('is never written a second time, and the outcome of the first is unknown', async () => {
    let call: Call | undefined;
    const ended = new Promise<Answer>((resolve, reject) => {
      const deadline = systemClock.monotonic() + 1_000;
      call = new Call({ deadline, maxBytes: 1_024, clock: systemClock }, resolve, reject);
    });
    call?.onRequestStart(controller);
    expect(() => call?.onRequestStart(controller)).toThrow('ended under the request');
    call?.onResponseError(controller, new Error('the connection ended under the request'));
    await expect(ended).rejects.toMatchObject({ written: true, code: 'reset' });
  });
});
