/**
 * `npm test -- <path>`: builds and starts only what the wanted specs need. What jest takes on its
 * command line it takes here too; without a path everything runs.
 */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { needsOf } = require('../test/needs.cjs');

const JEST = 'node_modules/jest/bin/jest.js';
const SERVICES = ['postgres', 'postgres15', 'redis'];
const words = process.argv.slice(2);

/** The specs that jest would run: it knows best which word is a path. */
function listed() {
  const { stdout, status } = spawnSync(process.execPath, [JEST, '--listTests', ...words], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) process.exit(status ?? 1);
  return stdout.split('\n').filter((line) => line.endsWith('.spec.ts'));
}

function run(command, args, environment) {
  const { status, error } = spawnSync(command, args, {
    stdio: 'inherit',
    env: { ...process.env, ...environment },
  });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

const isWhole = words.every((word) => word.startsWith('-'));
const needs = new Set(
  isWhole ? ['build', ...SERVICES] : listed().flatMap((path) => [...needsOf(path)]),
);

if (needs.has('build')) run('npm', ['run', '--silent', 'build']);
run(process.execPath, [JEST, ...words], {
  TEST_SERVICES: SERVICES.filter((service) => needs.has(service)).join(' '),
});
