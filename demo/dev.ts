import { parseArgs } from 'node:util';
import { ChildError, Children } from './children.js';
import { startInstallation, stopInstallation, takeOver } from './installation.js';
import { loadedFiles } from './loaded-files.js';
import { done, line, paint } from './paint.js';
import { startBuild, watchFiles } from './rebuild.js';
import { stopOnSignals } from './signals.js';
import { showAddresses } from './summary.js';

const APPS = ['simulator', 'api', 'worker', 'beat'] as const;
const MIGRATE = 'migrate';

const scriptOf = (app: string) =>
  app === MIGRATE ? 'dist/apps/api/src/migrate.js' : `dist/apps/${app}/src/main.js`;

/** Everything with reload: builds when a source changes, restarts what loads the changed code. */
async function main(): Promise<number> {
  const { values: options } = parseArgs({
    options: {
      fresh: { type: 'boolean', default: false },
      folder: { type: 'string', default: '.posthorn/dev' },
    },
  });
  const interrupted = new Promise<void>((resolve) => {
    stopOnSignals(resolve);
  });
  const register = await takeOver(options);
  const children = new Children(options.folder, register, tellEnd);
  const build = startBuild();
  if (build.pid !== undefined) register.add('build', build.pid);
  let stopWatching: () => void = () => undefined;
  try {
    const start = async () => {
      const installation = await startInstallation(options.folder, children);
      let last = Promise.resolve();
      stopWatching = watchFiles('dist', (files) => {
        last = last.then(() => reload(children, files)).catch(tellEnd);
      });
      showAddresses(installation);
      line(`\n  ${paint('dim', 'What changes is built and restarted, until Ctrl-C.')}`);
    };
    await Promise.race([interrupted, children.failure, start().then(() => interrupted)]);
    return 0;
  } catch (error) {
    tellEnd(error);
    return 1;
  } finally {
    stopWatching();
    line('\n  Stopping …');
    build.kill('SIGTERM');
    await stopInstallation(children);
    line('  Stopped.');
  }
}

/** Restarts whatever loads one of the files, and migrates before it if the migration does. */
async function reload(children: Children, files: ReadonlySet<string>): Promise<void> {
  const loads = (app: string) => [...loadedFiles(scriptOf(app))].some((file) => files.has(file));
  const hit = APPS.filter(loads);
  if (loads(MIGRATE)) await children.rerun(MIGRATE);
  await Promise.all(hit.map((app) => children.restart(app)));
  for (const app of hit) done(app, `restarted at ${new Date().toLocaleTimeString()}`);
}

/** A process that ends by itself ends nothing else: the next change starts it again. */
function tellEnd(error: unknown): void {
  const words =
    error instanceof ChildError || error instanceof Error ? error.message : String(error);
  line(`  ${paint('red', '✘')} ${words}`);
}

main().then(
  (status) => process.exit(status),
  (error: unknown) => {
    tellEnd(error);
    process.exit(1);
  },
);
