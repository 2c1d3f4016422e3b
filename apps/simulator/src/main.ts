import './compile-cache.js';
import { createLogger, loadConfig, main } from '@app/platform';
import { faultsFromEnvironment } from './faults/settings.js';
import { startSimulator } from './simulator.js';

main(async () => {
  const config = loadConfig([
    'SIMULATOR_PORT',
    'SIMULATOR_CONTROL_PORT',
    'SIMULATOR_TOKEN',
    'SIMULATOR_FAULTS',
    'LOG_LEVEL',
  ]);
  const logger = createLogger('simulator', config.LOG_LEVEL);
  const settings = config.SIMULATOR_FAULTS;
  const simulator = await startSimulator({
    port: config.SIMULATOR_PORT,
    controlPort: config.SIMULATOR_CONTROL_PORT,
    token: config.SIMULATOR_TOKEN,
    faults: faultsFromEnvironment(settings, config.SIMULATOR_CONTROL_PORT !== undefined),
    logger,
  });

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
