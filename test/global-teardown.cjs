const { once } = require('node:events');

module.exports = async () => {
  const child = globalThis.testServices;
  if (!child || child.exitCode !== null) return;
  child.stdin.end();
  await once(child, 'exit');
};
