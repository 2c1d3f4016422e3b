import './compile-cache.js';
import { createLogger, main } from '@app/platform';
import { readSimulatorConfig } from './config.js';
import { startSimulator } from './simulator.js';

main(async () => {
  const { logLevel, ...options } = readSimulatorConfig();
  const logger = createLogger('simulator', logLevel);
  const simulator = await startSimulator({ ...options, logger });

  const stop = (signal: string) => {
    logger.info({ signal }, 'stopping');
    void simulator.close().then(() => {
      logger.info('stopped');
      process.exit(0);
    });
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);

  const { port, controlPort, url, controlUrl } = simulator;
  logger.info({ port, controlPort, url, controlUrl }, 'started');
});
