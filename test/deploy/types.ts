import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Manifest, nameOf } from './manifests.js';
import { TOOLS } from './tools.js';

/** The package that has the types of an API group. */
function packageOf(apiVersion: string): string {
  if (apiVersion.startsWith('keda.sh/')) return '@kubernetes-models/keda';
  if (apiVersion.startsWith('monitoring.coreos.com/'))
    return '@kubernetes-models/prometheus-operator';
  return 'kubernetes-models';
}

/**
 * Checks manifests against the types of their kinds: as literals, for only there the compiler
 * refuses a field that no type has. The packages' own validation lets unknown fields pass.
 *
 * @returns what the compiler says; empty when all is well
 */
export function faultsOfTypes(manifests: Manifest[]): Promise<string> {
  const folder = mkdtempSync(join(TOOLS, 'node_modules/.types-'));
  const lines = manifests.flatMap((manifest, index) => {
    const { apiVersion, kind } = manifest;
    const from = `${packageOf(apiVersion)}/${apiVersion}/${kind}`;
    return [
      `import type { I${kind} as Kind${index} } from '${from}';`,
      `// ${nameOf(manifest)}`,
      `export const manifest${index}: Kind${index} = ${JSON.stringify(manifest, null, 1)};`,
    ];
  });
  writeFileSync(join(folder, 'manifests.ts'), lines.join('\n'));
  const compilerOptions = {
    noEmit: true,
    strict: true,
    skipLibCheck: true,
    types: [],
    module: 'nodenext',
    moduleResolution: 'nodenext',
    target: 'es2023',
  };
  const project = { compilerOptions, files: ['manifests.ts'] };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(project));
  const compiler = resolve('node_modules/typescript/bin/tsc');
  return new Promise((done) => {
    execFile(process.execPath, [compiler, '--project', folder], (error, stdout) => {
      rmSync(folder, { recursive: true });
      done(error ? stdout || error.message : '');
    });
  });
}
