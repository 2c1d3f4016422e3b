import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Every built file that a script loads, itself included. Aliases are relative paths by then. */
export function loadedFiles(script: string): Set<string> {
  const found = new Set<string>();
  const open = [script];
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    if (found.has(file) || !existsSync(file)) continue;
    found.add(file);
    const text = readFileSync(file, 'utf8');
    for (const [, path = ''] of text.matchAll(/\brequire\("(\.[^"]+)"\)/g)) {
      const target = join(dirname(file), path);
      open.push(target.endsWith('.js') ? target : `${target}.js`, join(target, 'index.js'));
    }
  }
  return found;
}
