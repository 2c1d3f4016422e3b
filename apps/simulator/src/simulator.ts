import type { RequestListener } from 'node:http';
import type { Logger } from '@app/platform';
import { Control } from './control/control.js';
import { Faults } from './faults/faults.js';
import { parseFaults, type FaultSettings } from './faults/settings.js';
import { Listener } from './listener.js';
import { NotificationApi, type Received } from './provider/notification-api.js';
import { ReceivedLog } from './received/log.js';
import { Refusal } from './refusal.js';

/** How long requests on their way may take when the process is told to stop. */
const STOP_GRACE_MS = 1_000;

export interface SimulatorOptions {
  /** Serves the provider's API and the control routes; 0 takes a free one. */
  port: number;
  /** Serves the control routes only, so that they stay when the other port refuses. */
  controlPort?: number | undefined;
  host?: string;
  /** The bearer token that counts; without it any JWT that has not expired does. */
  token?: string | undefined;
  faults?: FaultSettings;
  logger: Logger;
}

export interface Simulator {
  port: number;
  controlPort: number | undefined;
  /** `http://127.0.0.1:port`, or the host that was given; the base of the API is `${url}/v1`. */
  url: string;
  controlUrl: string;
  close(): Promise<void>;
}

/** @throws what `listen` throws, e.g. EADDRINUSE. */
export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const { port, controlPort, token, logger, host = '0.0.0.0' } = options;
  const hasControlPort = controlPort !== undefined;
  const settings = options.faults ?? parseFaults({}, hasControlPort);
  const faults = new Faults(settings);
  const received: Received = { log: new ReceivedLog() };

  const notificationApi = new NotificationApi(received, faults, token);
  const main = new Listener(serveAll, host, port);
  const refusal = new Refusal(main, faults, (error) => {
    logger.error({ err: error }, 'the port could not be opened again');
  });
  const control = new Control({ received, faults, refusal, hasControlPort, logger });
  const serveControl: RequestListener = (request, response) => {
    void control.handle(request, response);
  };
  const side =
    controlPort === undefined ? undefined : new Listener(serveControl, host, controlPort);

  function serveAll(...[request, response]: Parameters<RequestListener>): void {
    const path = request.url ?? '/';
    if (notificationApi.serves(path)) notificationApi.handle(request, response, path);
    else serveControl(request, response);
  }

  await side?.open();
  await main.open();
  if (settings.refuse !== false) await refusal.apply(settings);

  const address = host === '0.0.0.0' ? '127.0.0.1' : host;
  const url = `http://${address}:${main.port}`;
  return {
    port: main.port,
    controlPort: side?.port,
    url,
    controlUrl: side ? `http://${address}:${side.port}` : url,
    close: async () => {
      refusal.stop();
      await Promise.all([main.close(STOP_GRACE_MS), side?.close(STOP_GRACE_MS)]);
    },
  };
}
