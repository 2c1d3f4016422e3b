const { setupFilesAfterEnv, globalSetup, globalTeardown, ...common } = require('./jest.config.cjs');

/** What needs a container engine: `npm run test:containers`. */
module.exports = {
  ...common,
  roots: ['<rootDir>/test/containers'],
  testRegex: '\\.containers\\.ts$',
};
