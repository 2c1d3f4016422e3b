/**
 * What a spec needs beside Node, found in what the spec and its helpers import: `postgres`,
 * `postgres15`, `redis` (services of the global set-up), `process` (it starts processes), `build`
 * (it starts them from `dist`). A unit spec needs none of these.
 */
const { existsSync, readFileSync } = require('node:fs');
const { dirname, join, relative } = require('node:path');

const TESTKIT = 'libs/testkit/src';
const MARKS = {
  postgres: /\benv\[TEST_POSTGRES\]/,
  postgres15: /\benv\[TEST_POSTGRES_15\]/,
  redis: /\benv\[TEST_REDIS\]/,
  process: /from 'node:child_process'/,
  build: /(?<![\w-]|'ajv\/)dist['/]/,
};
/** `import … from 'x'`, `export … from 'x'`, `import 'x'`. */
const IMPORT = /^(?:import|export)\s+(?:(type\s)?([^;']*?)\s*from\s+)?'([^']+)';/gm;
/** A spec that another spec includes. */
const INCLUDED = /'(\.{1,2}\/[\w./-]+\.spec)'/g;

const read = new Map();

/** The file's own marks, and the files that it imports for more than their types. */
function readOnce(file) {
  if (!read.has(file)) read.set(file, marksAndImports(file));
  return read.get(file);
}

function marksAndImports(file) {
  const text = readFileSync(file, 'utf8');
  const beside = (source) => join(dirname(file), source.replace(/\.js$/, '.ts'));
  const imports = [...text.matchAll(INCLUDED)].map(([, source]) => beside(`${source}.js`));
  for (const [, isType, names, source] of text.matchAll(IMPORT)) {
    if (isType) continue;
    if (source === '@app/testkit') imports.push(...filesOfTestkit(names));
    else if (source.startsWith('.')) imports.push(beside(source));
  }
  return {
    marks: Object.keys(MARKS).filter((need) => MARKS[need].test(text)),
    imports: imports.filter((path) => existsSync(path)),
  };
}

/** The files of the testkit that export these names through its index. */
function filesOfTestkit(names) {
  const index = readFileSync(join(TESTKIT, 'index.ts'), 'utf8');
  const wanted = new Set(wordsOf(names));
  return [...index.matchAll(IMPORT)]
    .filter(([, isType, exported]) => !isType && wordsOf(exported).some((name) => wanted.has(name)))
    .map(([, , , source]) => join(TESTKIT, source.replace(/\.js$/, '.ts')));
}

/** `{ a, type B, c as d }`: a, c. */
function wordsOf(names) {
  return names
    .replace(/[{}]/g, '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && !name.startsWith('type '))
    .map((name) => name.split(/\s+as\s+/)[0]);
}

/** @param {string} spec a path, absolute or from the root */
function needsOf(spec) {
  const needs = new Set();
  const seen = new Set();
  const open = [relative('', spec)];
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    const { marks, imports } = readOnce(file);
    for (const mark of marks) needs.add(mark);
    open.push(...imports);
  }
  // Commands of the compose file, of scripts, of the demo: all lead to what was built.
  if (needs.has('process') && relative('', spec).startsWith('test/')) needs.add('build');
  return needs;
}

module.exports = { needsOf };
