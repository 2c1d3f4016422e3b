const { needsOf } = require('./needs.cjs');

/** Proves in each run that `needsOf` sees all: a spec of which it sees no need gets nothing. */
const { testPath } = expect.getState();
if (needsOf(testPath).size === 0) {
  jest.mock('node:child_process', () => {
    const real = jest.requireActual('node:child_process');
    const refuse = () => {
      throw new Error('It starts a process, which test/needs.cjs does not see');
    };
    return Object.fromEntries(Object.keys(real).map((name) => [name, refuse]));
  });
  jest.mock('pg', () => {
    const real = jest.requireActual('pg');
    class Refused {
      constructor() {
        throw new Error('It opens a database, which test/needs.cjs does not see');
      }
    }
    const mocked = { ...real, Client: Refused, Pool: Refused };
    return { ...mocked, __esModule: true, default: mocked };
  });
}
