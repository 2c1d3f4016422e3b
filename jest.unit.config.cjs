const { globalSetup, globalTeardown, ...common } = require('./jest.config.cjs');

/** Specs that need no service, no process and no build: `npm run test:unit`. */
module.exports = {
  ...common,
  filter: '<rootDir>/test/only-units.cjs',
  testTimeout: 10_000,
};
