import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import type { FastifyInstance } from 'fastify';
import { buildDocument } from './document.js';

const REDOC_PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Posthorn API</title>
<style>body { margin: 0; }</style>
</head>
<body>
<redoc spec-url="/docs-json" hide-hostname></redoc>
<script src="/redoc/redoc.standalone.js"></script>
</body>
</html>
`;

/** Nothing of the page comes from elsewhere; ReDoc searches in a worker that it makes of a blob. */
const REDOC_POLICY =
  "default-src 'self'; script-src 'self'; worker-src blob:; img-src 'self' data:; style-src 'self' 'unsafe-inline'";

/** Swagger UI at `/docs`, the document at `/docs-json` and `/docs-yaml`, ReDoc at `/redoc`. */
export function serveDocs(app: NestFastifyApplication, server: FastifyInstance): void {
  let document: OpenAPIObject | undefined;
  // Built at the first look: it costs a start a tenth of a second.
  SwaggerModule.setup('docs', app, () => (document ??= buildDocument(app)), {
    customSiteTitle: 'Posthorn API',
    swaggerOptions: { persistAuthorization: true },
  });
  server.get('/redoc', (_request, reply) =>
    reply
      .type('text/html; charset=utf-8')
      .header('content-security-policy', REDOC_POLICY)
      .send(REDOC_PAGE),
  );
  // From the file that was started: packages are found from there, wherever we are called from.
  const bundle = createRequire(process.argv[1] ?? process.cwd()).resolve(
    'redoc/bundles/redoc.standalone.js',
  );
  server.get('/redoc/redoc.standalone.js', async (_request, reply) =>
    reply
      .type('text/javascript; charset=utf-8')
      .header('cache-control', 'public, max-age=3600')
      .send(await readFile(bundle)),
  );
}
