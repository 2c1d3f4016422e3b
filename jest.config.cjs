/** Everything, node_modules included, is turned into CommonJS: several dependencies are ESM only. */
module.exports = {
  testEnvironment: 'node',
  roots: [
    '<rootDir>/apps',
    '<rootDir>/libs',
    '<rootDir>/test',
    '<rootDir>/demo',
    '<rootDir>/bench',
  ],
  testRegex: '\\.spec\\.ts$',
  modulePathIgnorePatterns: ['<rootDir>/dist', '<rootDir>/apps/web'],
  transformIgnorePatterns: [],
  transform: {
    '\\.ts$': ['@swc/jest', require('./test/swc.cjs')],
    '/node_modules/.+\\.m?js$': [
      '@swc/jest',
      { jsc: { target: 'es2023' }, module: { type: 'commonjs' }, isModule: 'unknown' },
    ],
  },
  moduleNameMapper: {
    '^@app/([a-z-]+)$': '<rootDir>/libs/$1/src/index.ts',
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  testSequencer: '<rootDir>/test/sequencer.cjs',
  setupFilesAfterEnv: ['<rootDir>/test/no-services.cjs'],
  globalSetup: '<rootDir>/test/global-setup.cjs',
  globalTeardown: '<rootDir>/test/global-teardown.cjs',
  testTimeout: 30_000,
  maxWorkers: 2,
};
