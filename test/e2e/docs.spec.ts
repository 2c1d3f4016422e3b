import { existsSync, readFileSync } from 'node:fs';
import { environment, SECRETS } from '@app/platform';
import { CONTAINER_VARIABLES } from './containers-files.js';
import { allCode, anchorsOf, inlineCode, localLinks, readPages } from './docs.js';

const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as {
  scripts: Record<string, string>;
};

/** Read by the tests, not by the processes. */
const TEST_VARIABLES = ['REDIS_URL', 'REQUIRE_REDIS', 'REQUIRE_POSTGRES_15', 'REQUIRE_PGBOUNCER'];

const DECISIONS = 'docs/decisions';

describe.each(readPages().map((page) => [page.path, page] as const))('%s', (_, page) => {
  it('links to files and headings that exist', () => {
    for (const { target, anchor } of localLinks(page)) {
      expect([target, existsSync(target)]).toEqual([target, true]);
      if (anchor) expect(anchorsOf(readFileSync(target, 'utf8'))).toContain(anchor);
    }
  });

  it('names files and folders that exist', () => {
    const named = inlineCode(page.text).filter((code) =>
      /^(apps|libs|docs|demo|test|bench|scripts|\.ci)\/[\w./-]*$|^[\w.-]+\.(yml|mjs|json)$|^\.[a-z]+\.example$/.test(
        code,
      ),
    );
    for (const path of named) expect([path, existsSync(path)]).toEqual([path, true]);
  });

  it('names programs that the build makes', () => {
    const scripts = allCode(page.text).flatMap(
      (code) => code.match(/\bdist\/[\w./-]+\.js\b/g) ?? [],
    );
    for (const script of scripts) {
      const source = script.replace(/^dist\//, '').replace(/\.js$/, '.ts');
      expect([script, existsSync(source)]).toEqual([script, true]);
    }
  });

  it('names npm scripts that exist', () => {
    const scripts = allCode(page.text).flatMap((code) =>
      [...code.matchAll(/\bnpm (?:run )?(test\b|(?<=run )[\w:]+)/g)].map(([, name]) => name ?? ''),
    );
    for (const script of scripts) expect(Object.keys(manifest.scripts)).toContain(script);
  });

  it('names variables that exist', () => {
    if (page.path.startsWith(`${DECISIONS}/0`)) return; // they name constants of the code as well
    const files = [...SECRETS, 'NAME'].map((name) => `${name}_FILE`);
    const variables = [...Object.keys(environment.shape), ...CONTAINER_VARIABLES, ...files];
    const names = allCode(page.text).flatMap((code) => /^[A-Z]+(_[A-Z]+)+\b/.exec(code)?.[0] ?? []);
    for (const name of names) {
      expect([...variables, ...TEST_VARIABLES]).toContain(name);
    }
  });
});

describe('README.md', () => {
  const [readme] = readPages();

  it('begins with the two commands', () => {
    const [first = ''] = allCode(readme?.text ?? '');
    expect(first.split('\n').map((line) => line.split('#')[0]?.trim())).toEqual([
      'npm run demo',
      'npm test',
      '',
    ]);
  });

  it('names every page of the docs', () => {
    const targets = localLinks(readme ?? { path: '', text: '' }).map(({ target }) => target);
    for (const { path } of readPages()) {
      if (path === 'README.md' || path.startsWith(`${DECISIONS}/0`)) continue;
      expect(targets).toContain(path);
    }
  });
});

describe('decisions', () => {
  const pages = readPages().filter(({ path }) => path.startsWith(`${DECISIONS}/0`));

  it('are all in their index, under their title', () => {
    const index = readFileSync(`${DECISIONS}/README.md`, 'utf8');
    for (const { path, text } of pages) {
      const name = path.slice(DECISIONS.length + 1);
      const [, number = '', title = ''] = /^# (\d{4}): (.+)$/m.exec(text) ?? [];
      expect(name.startsWith(`${number}-`)).toBe(true);
      expect(index).toContain(`- [${number}](${name}): ${title}\n`);
    }
  });

  it('have a number each, and say what was decided, why, and when to look again', () => {
    const numbers = pages.map(({ path }) => path.slice(DECISIONS.length + 1).split('-')[0]);
    expect(new Set(numbers).size).toBe(numbers.length);
    for (const { path, text } of pages) {
      const headings = [...text.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading);
      const wanted = ['Context', 'Decision', 'Measured', 'When to look again'];
      expect([path, headings]).toEqual([path, wanted]);
    }
  });
});
