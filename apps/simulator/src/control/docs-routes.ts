import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import assetsFolder from 'swagger-ui-dist/absolute-path.js';
import type { Json, Route } from './route.js';

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>Posthorn simulator</title>
    <link rel="stylesheet" href="/docs/swagger-ui.css">
    <link rel="icon" href="/docs/favicon-32x32.png">
  </head>
  <body>
    <div id="ui"></div>
    <script src="/docs/swagger-ui-bundle.js"></script>
    <script>SwaggerUIBundle({ url: '/docs-json', dom_id: '#ui' })</script>
  </body>
</html>
`;

const ASSETS = {
  'swagger-ui.css': 'text/css',
  'swagger-ui-bundle.js': 'text/javascript',
  'favicon-32x32.png': 'image/png',
};

/** The Swagger page, whose files come from the package, and the document that it shows. */
export function docsRoutes(document: Json): Route[] {
  const assets = Object.entries(ASSETS).map(([name, contentType]): Route => ({
    method: 'GET',
    path: `/docs/${name}`,
    handle: async () => ({
      status: 200,
      file: await readFile(join(assetsFolder(), name)),
      contentType,
    }),
  }));
  return [
    {
      method: 'GET',
      path: '/docs',
      handle: () => ({ status: 200, pieces: [PAGE], contentType: 'text/html; charset=utf-8' }),
    },
    { method: 'GET', path: '/docs-json', handle: () => ({ status: 200, json: document }) },
    ...assets,
  ];
}
