import { readFileSync } from 'node:fs';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { installTools, TOOLS } from './tools.js';

const MINUTE = 60_000;
const execute = promisify(execFile);
const { scripts, devDependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as Record<
  'scripts' | 'devDependencies',
  Record<string, string>
>;

beforeAll(installTools, 5 * MINUTE);

describe.each(['.gitlab-ci.yml', '.github/workflows/ci.yml'])('%s', (file) => {
  const text = readFileSync(file, 'utf8');

  it('calls npm scripts that exist', () => {
    const called = [...text.matchAll(/npm (?:run (?:--silent )?([\w:]+)|(test)\b)/g)];
    expect(called.length).toBeGreaterThan(4);
    for (const [, named, test] of called) expect(scripts).toHaveProperty([named ?? test ?? '']);
  });

  it('runs on the version of Node that the project is tested on', () => {
    expect(text).toContain(`node:${devDependencies.node}-bookworm`);
  });

  it('requires the services without which suites are left out', () => {
    const line = /^.*npm test -- .*$/m.exec(readFileSync('.ci/run', 'utf8'))?.[0] ?? '';
    const required = [...line.matchAll(/\bREQUIRE_[A-Z0-9_]+(?==1)/g)];
    expect(required.length).toBeGreaterThan(2);
    for (const [name] of required) expect(text).toContain(`${name}: '1'`);
  });
});

describe('.gitlab-ci.yml', () => {
  it(
    'is what GitLab takes',
    async () => {
      const program = join(TOOLS, 'node_modules/gitlab-ci-local/dist/index.js');
      const { stdout } = await execute(process.execPath, [
        program,
        '--list-all',
        '--state-dir',
        'test/deploy/tools/node_modules/.gitlab-ci-local',
        '--file',
        '.gitlab-ci.yml',
      ]);
      for (const job of [
        'lint',
        'unit',
        'tests',
        'faults',
        'build-image',
        'scan',
        'sbom',
        'deploy',
      ]) {
        expect(stdout).toMatch(new RegExp(`^${job}\\s`, 'm'));
      }
    },
    MINUTE,
  );

  it('deploys only by hand', () => {
    const { deploy } = parse(readFileSync('.gitlab-ci.yml', 'utf8')) as {
      deploy: { rules: { when: string }[] };
    };
    for (const { when } of deploy.rules) expect(when).toBe('manual');
  });
});
