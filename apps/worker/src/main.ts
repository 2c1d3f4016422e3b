import { createLogger, main, runProcess } from '@app/platform';
import { WorkerModule } from './worker.module.js';
import { readWorkerConfig } from './config.js';

main(async () => {
  const config = readWorkerConfig();
  const logger = createLogger('worker', config.logLevel);
  await runProcess({
    logger,
    host: '0.0.0.0',
    port: config.port,
    module: WorkerModule.with(config, logger),
  });
});
