const { spawn } = require('node:child_process');
const { once } = require('node:events');

/** Starts the services that all suites share, in a process of their own, from the build. */
module.exports = async () => {
  const child = spawn(process.execPath, ['dist/libs/testkit/src/serve.js'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  globalThis.testServices = child;
  const line = await Promise.race([
    once(child.stdout, 'data').then(([chunk]) => String(chunk)),
    once(child, 'exit').then(([code]) => {
      throw new Error(`The test services ended with status ${code}; is the project built?`);
    }),
  ]);
  Object.assign(process.env, JSON.parse(line));
};
