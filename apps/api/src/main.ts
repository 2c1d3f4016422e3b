import { createLogger, main, runProcess } from '@app/platform';
import { AppModule } from './app.module.js';
import { loadApiConfig } from './config.js';
import { createAdapter, prepareServer } from './http/server.js';

main(async () => {
  const config = loadApiConfig();
  const logger = createLogger('api', config.LOG_LEVEL);
  await runProcess({
    logger,
    host: config.API_HOST,
    port: config.API_PORT,
    module: AppModule.with(config, logger),
    adapter: createAdapter(),
    prepare: prepareServer,
  });
});
