import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, delimiter, join } from 'node:path';
import { buildContext, ourServices, readDockerfile } from './containers-files.js';

const MINUTE = 60_000;

/**
 * Does what `docker build` would, with folders in the place of images: each stage is a folder, COPY
 * copies, RUN runs. What is missing in the context or in the last stage is missing here too.
 */
describe('The image', () => {
  const root = mkdtempSync(join(tmpdir(), 'posthorn-image-'));
  const context = join(root, 'context');
  let image = '';

  afterAll(() => {
    rmSync(root, { recursive: true, force: true });
  });

  it(
    'builds from the context alone',
    () => {
      const listed = ['ls-files', '--cached', '--others', '--exclude-standard'];
      const files = execFileSync('git', listed, { encoding: 'utf8' }).trim().split('\n');
      for (const file of buildContext(files).filter((path) => existsSync(path))) {
        cpSync(file, join(context, file), { recursive: true });
      }
      image = build();
      expect(existsSync(join(image, 'dist/apps/api/src/main.js'))).toBe(true);
    },
    8 * MINUTE,
  );

  it('leaves the tools of development behind', () => {
    expect(existsSync(join(image, 'node_modules/fastify'))).toBe(true);
    expect(existsSync(join(image, 'node_modules/jest'))).toBe(false);
    expect(existsSync(join(image, 'dist/libs/testkit'))).toBe(false);
  });

  it('adds at most 200 MB to its base', () => {
    const [kilobytes = ''] = execFileSync('du', ['-sk', image], { encoding: 'utf8' }).split('\t');
    expect(Number(kilobytes)).toBeGreaterThan(50_000);
    expect(Number(kilobytes) / 1_024).toBeLessThan(200);
  });

  it('serves the page of ReDoc from the one file that is left of it', () => {
    expect(existsSync(join(image, 'node_modules/redoc/bundles/redoc.standalone.js'))).toBe(true);
    expect(existsSync(join(image, 'node_modules/mobx'))).toBe(false);
  });

  it.each(ourServices())(
    'has all that %s needs to start: only its settings are missing',
    (name, service) => {
      const [, ...words] = (service.command ?? '').split(' ');
      const ended = spawnSync(process.execPath, words, {
        cwd: image,
        env: { PATH: process.env.PATH, SIMULATOR_PORT: 'wrong' },
        encoding: 'utf8',
        timeout: MINUTE,
      });
      const missing = name === 'simulator' ? 'SIMULATOR_PORT' : 'DATABASE_URL';
      expect(ended.stderr).toContain('The settings are not usable:');
      expect(ended.stderr).toContain(`  ${missing}: `);
      expect(ended.status).toBe(1);
    },
    2 * MINUTE,
  );

  /** @returns the work folder of the last stage. */
  function build(): string {
    const stages = new Map<string, string>();
    let stage = '';
    let workdir = '';
    for (const { name, words, flags, text } of readDockerfile()) {
      if (name === 'FROM') {
        stage = join(root, `stage-${stages.size}`);
        stages.set(words[2] ?? 'last', stage);
        workdir = stage;
      } else if (name === 'WORKDIR') {
        workdir = join(stage, words[0] ?? '');
        mkdirSync(workdir, { recursive: true });
      } else if (name === 'COPY') {
        const from = flags.from === undefined ? context : (stages.get(flags.from) ?? '');
        copy(words, from, workdir);
      } else if (name === 'RUN') {
        execFileSync('sh', ['-c', text], { cwd: workdir, env: cleanEnvironment(), stdio: 'pipe' });
      }
    }
    return workdir;
  }
});

/** A folder's content goes to the target; a file goes into it if it ends with a slash. */
function copy(words: string[], from: string, workdir: string): void {
  const target = words.at(-1) ?? '';
  for (const word of words.slice(0, -1)) {
    const source = join(from, word);
    const into = statSync(source).isFile() && target.endsWith('/');
    cpSync(source, join(workdir, target, into ? basename(word) : ''), {
      recursive: true,
      verbatimSymlinks: true,
    });
  }
}

/** Without our own node_modules in the path, and without what npm and the test runner have set. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const mine = /^(NODE_ENV|NODE_OPTIONS|npm_package_.*|npm_lifecycle_.*)$/;
  const path = (process.env.PATH ?? '').split(delimiter);
  return {
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !mine.test(name))),
    PATH: path.filter((folder) => !folder.includes('node_modules')).join(delimiter),
  };
}
