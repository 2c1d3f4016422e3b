import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The closing line of `.ci/run` comes from this script. */
describe('Counting the tests of a run', () => {
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-count-'));
  const file = join(folder, 'results.json');

  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  const count = (results: string) => {
    writeFileSync(file, results);
    const { stdout, status } = spawnSync(process.execPath, ['scripts/count-tests.mjs', file], {
      encoding: 'utf8',
    });
    return { line: stdout, status };
  };

  it.each([
    [{ numPassedTests: 12, numFailedTests: 0 }, 'tests: 12 passed, 0 failed\n', 0],
    [{ numPassedTests: 12, numFailedTests: 3 }, 'tests: 12 passed, 3 failed\n', 1],
    [{ numPassedTests: 9, numPendingTests: 2 }, 'tests: 9 passed, 0 failed, 2 skipped\n', 0],
    [{ numPassedTests: 5, numRuntimeErrorTestSuites: 1 }, 'tests: 5 passed, 1 failed\n', 1],
    [{}, 'tests: 0 passed, 0 failed\n', 1],
  ])('says of %j: %s', (results, line, status) => {
    expect(count(JSON.stringify(results))).toEqual({ line, status });
  });

  it('fails a run that wrote nothing', () => {
    expect(count('')).toEqual({ line: 'tests: 0 passed, 0 failed\n', status: 1 });
  });

  it('is started by a script that can be executed', () => {
    expect(statSync('.ci/run').mode & 0o111).toBe(0o111);
  });
});
