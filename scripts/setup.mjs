/**
 * Installs the dependencies when they are missing or older than the lockfile, so that
 * `npm run demo` and `npm test` work straight after a clone. Plain JavaScript without imports
 * from packages: it is the first thing that runs on a machine with only Node and npm.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (!existsSync('node_modules/.bin/node') && (major < 20 || (major === 20 && minor < 19))) {
  console.error(`Posthorn needs Node 20.19 or newer; this is ${process.versions.node}.`);
  process.exit(1);
}

const installed = 'node_modules/.package-lock.json';
const upToDate =
  existsSync(installed) && statSync(installed).mtimeMs >= statSync('package-lock.json').mtimeMs;
if (!upToDate) {
  console.error('Installing dependencies (npm ci) …');
  execFileSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { stdio: 'inherit' });
}
