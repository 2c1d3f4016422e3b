/**
 * Runs the demo's PostgreSQL, and ends a moment after the demo: when its standard input ends, in
 * whatever way the demo did, it stops the processes that the demo left running, then the database.
 * It is a process of its own for that, and so that Ctrl-C, which a terminal sends to everybody at
 * once, does not stop the database before the others.
 *
 * Arguments: the demo's folder, the port. Prints one line of JSON when the database is there.
 */
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import pg from 'pg';
import { reachableFolder, startPostgres } from '@app/testkit';
import { Register } from './register.js';
import { DEMO, KEEPER, REGISTER_FILE } from './names.js';

const DATABASE = 'posthorn';

async function keep(): Promise<void> {
  const [folder = '', port = ''] = process.argv.slice(2);
  const root = resolve(folder);
  const ended = new Promise<void>((done) => {
    process.stdin.once('close', done).once('end', done).resume();
  });

  const directory = reachableFolder(join(root, 'postgres'));
  // Set when the database is complete: an interrupted first start leaves an incomplete one.
  const complete = join(root, 'postgres.complete');
  if (!existsSync(complete)) rmSync(directory, { recursive: true, force: true });
  const postgres = await startPostgres({
    directory,
    port: Number(port),
    durable: true,
    onLog: (text) => process.stderr.write(text.endsWith('\n') ? text : `${text}\n`),
  });
  if (!(await exists(postgres.adminUrl))) await postgres.createDatabase(DATABASE);
  writeFileSync(complete, '');
  process.stdout.write(`${JSON.stringify({ url: postgres.url(DATABASE), directory })}\n`);

  await ended;
  const register = new Register(join(root, REGISTER_FILE));
  await register.stop((name) => name !== DEMO && name !== KEEPER);
  await postgres.stop();
}

async function exists(adminUrl: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [
      DATABASE,
    ]);
    return rowCount === 1;
  } finally {
    await client.end();
  }
}

keep().then(
  () => process.exit(0),
  (error: unknown) => {
    // The server's library rejects with nothing at all when the server ends early.
    const words = error instanceof Error ? (error.stack ?? error.message) : 'it ended early';
    process.stderr.write(`PostgreSQL did not start: ${words}\n`);
    process.exit(1);
  },
);
