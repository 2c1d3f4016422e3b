import { type ChildProcess, spawn } from 'node:child_process';
import { watch } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { stripVTControlCharacters } from 'node:util';
import { line } from './paint.js';

const NEST = 'node_modules/@nestjs/cli/bin/nest.js';
/** A build writes its files one after the other. */
const SETTLED_AFTER_MS = 400;

/** The build in watch mode: says what it finds wrong, and is silent otherwise. */
export function startBuild(): ChildProcess {
  const words = [NEST, 'build', 'api', '--watch', '--preserveWatchOutput'];
  const build = spawn(process.execPath, words, {
    detached: true, // a terminal's Ctrl-C goes to us alone
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  createInterface({ input: build.stdout }).on('line', (text) => {
    const words = stripVTControlCharacters(text);
    if (/error TS\d+|Found [1-9]\d* error/.test(words)) line(`  ${words}`);
  });
  return build;
}

/**
 * Calls back with the files below a folder that were written, when no more come.
 *
 * @returns ends it
 */
export function watchFiles(folder: string, changed: (files: Set<string>) => void): () => void {
  let files = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  const watcher = watch(folder, { recursive: true }, (_, name) => {
    if (!name?.endsWith('.js')) return;
    files.add(join(folder, name));
    clearTimeout(timer);
    timer = setTimeout(() => {
      const written = files;
      files = new Set();
      changed(written);
    }, SETTLED_AFTER_MS);
  });
  return () => {
    clearTimeout(timer);
    watcher.close();
  };
}
