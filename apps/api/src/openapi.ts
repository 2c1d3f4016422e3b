import { writeFileSync } from 'node:fs';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createLogger, main } from '@app/platform';
import { AppModule } from './app.module.js';
import { buildDocument } from './http/openapi/document.js';
import { createAdapter } from './http/server.js';

const FILE = 'docs/openapi.json';

/** `npm run openapi`: writes the document of the API into the repository. Nothing is connected to. */
main(async () => {
  const logger = createLogger('openapi', 'info');
  const settings = {
    DATABASE_URL: 'postgres://localhost/unused',
    API_HOST: '127.0.0.1',
    API_PORT: 0,
    SERVER_TIMEZONE: 'UTC',
    LOG_LEVEL: 'info',
  } as const;
  const app = await NestFactory.create<NestFastifyApplication>(
    AppModule.with(settings, logger),
    createAdapter(),
    { preview: true, logger: false },
  );
  writeFileSync(FILE, `${JSON.stringify(buildDocument(app), null, 2)}\n`);
  logger.info({ file: FILE }, 'written');
});
