import { createLogger, main, runProcess } from '@app/platform';
import { BeatModule } from './beat.module.js';
import { readBeatConfig } from './config.js';

main(async () => {
  const config = readBeatConfig();
  const logger = createLogger('beat', config.logLevel);
  await runProcess({
    logger,
    host: config.host,
    port: config.port,
    module: BeatModule.with(config, logger),
  });
});
