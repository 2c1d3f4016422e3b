const { spawn } = require('node:child_process');
const { once } = require('node:events');
const { resolve } = require('node:path');

const SERVICES = ['postgres', 'postgres15', 'redis'];

/**
 * Starts the services that all suites share, in a process of their own, without a build. `npm test`
 * names those that the wanted specs need; jest by itself starts all.
 */
module.exports = async () => {
  // As `shareCompiledCode` of the testkit does, for all that the specs start.
  process.env.NODE_COMPILE_CACHE ??= resolve('node_modules/.cache/compile');
  const { TEST_SERVICES } = process.env;
  const services = TEST_SERVICES?.split(' ').filter(Boolean) ?? SERVICES;
  if (services.length === 0) return;
  const words = ['--import', './test/typescript.mjs', 'libs/testkit/src/serve.ts', ...services];
  const child = spawn(process.execPath, words, { stdio: ['pipe', 'pipe', 'inherit'] });
  globalThis.testServices = child;
  const line = await Promise.race([
    once(child.stdout, 'data').then(([chunk]) => String(chunk)),
    once(child, 'exit').then(([code]) => {
      throw new Error(`The test services ended with status ${code}`);
    }),
  ]);
  Object.assign(process.env, JSON.parse(line));
};
