/**
 * Lets Node run our TypeScript without a build: `node --import ./test/typescript.mjs file.ts`. What
 * the tests start beside themselves is started so. Types are not checked, decorators work.
 */
import { existsSync, readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { transformSync } from '@swc/core';
import swc from './swc.cjs';

registerHooks({
  resolve(specifier, context, next) {
    const file = fileOf(specifier, context.parentURL);
    if (file === undefined) return next(specifier, context);
    return { url: file.href, format: 'commonjs', shortCircuit: true };
  },
  load(url, context, next) {
    if (!url.endsWith('.ts')) return next(url, context);
    const filename = fileURLToPath(url);
    const { code } = transformSync(readFileSync(filename, 'utf8'), { ...swc, filename });
    return { source: code, format: 'commonjs', shortCircuit: true };
  },
});

/** Libraries by their alias, and the `.ts` behind a relative `.js`. */
function fileOf(specifier, parent) {
  const [, library] = /^@app\/([a-z-]+)$/.exec(specifier) ?? [];
  if (library) return pathToFileURL(`libs/${library}/src/index.ts`);
  if (!specifier.startsWith('.') || !parent?.endsWith('.ts')) return undefined;
  const file = new URL(specifier.replace(/\.js$/, '.ts'), parent);
  return existsSync(file) ? file : undefined;
}
