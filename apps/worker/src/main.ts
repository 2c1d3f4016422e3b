import { createLogger, main, runProcess } from '@app/platform';
import { WorkerModule } from './worker.module.js';
import { readWorkerConfig } from './config.js';

main(async () => {
  const config = readWorkerConfig();
  const logger = createLogger('worker', config.logLevel);
  await runProcess({
    logger,
    host: config.host,
    port: config.port,
    module: WorkerModule.with(config, logger),
  });
});
