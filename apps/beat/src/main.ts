import { createLogger, main, runProcess } from '@app/platform';
import { BeatModule } from './beat.module.js';
import { readBeatConfig } from './config.js';

main(async () => {
  const config = readBeatConfig();
  const logger = createLogger('beat', config.logLevel);
  await runProcess({
    logger,
    host: '0.0.0.0',
    port: config.port,
    module: BeatModule.with(config, logger),
  });
});
