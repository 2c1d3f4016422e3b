import type { Logger } from '@app/platform';
import type { Faults } from '../faults/faults.js';
import { parseFaults, type FaultSettings } from '../faults/settings.js';
import type { Refusal } from '../refusal.js';
import { operation } from './operation.js';
import type { ControlRequest, Route } from './route.js';

const TAG = 'Faults';

interface Parts {
  faults: Faults;
  refusal: Refusal;
  hasControlPort: boolean;
  logger: Logger;
}

/** Which faults are on, and how often each has fired. */
export function faultRoutes({ faults, refusal, hasControlPort, logger }: Parts): Route[] {
  const answer = { $ref: '#/components/schemas/Faults' };
  const put = async (settings: FaultSettings, { socket }: ControlRequest) => {
    await refusal.apply(settings, socket);
    const kinds = settings.rules.map(({ fault }) => fault);
    logger.info({ refuse: settings.refuse, latency: settings.latency, rules: kinds }, 'faults set');
    return { status: 200, json: faults.view() };
  };
  return [
    {
      method: 'GET',
      path: '/faults',
      operation: operation({ tag: TAG, summary: 'The faults that are on', answer }),
      handle: () => ({ status: 200, json: faults.view() }),
    },
    {
      method: 'PUT',
      path: '/faults',
      operation: operation({
        tag: TAG,
        summary: 'Replaces all settings',
        description:
          'What is left out takes its default; counters start again. In force when this answers. ' +
          'The first rule that hits a request decides; without a hit the answer is OK.',
        body: { $ref: '#/components/schemas/FaultSettings' },
        answer,
        errors: { 400: 'The body is no JSON', 422: 'A setting is wrong; nothing has changed' },
      }),
      handle: (request) => put(parseFaults(request.json(), hasControlPort), request),
    },
    {
      method: 'POST',
      path: '/faults/reset',
      operation: operation({ tag: TAG, summary: 'Switches all faults off', answer }),
      handle: (request) => put(parseFaults({}, hasControlPort), request),
    },
  ];
}
