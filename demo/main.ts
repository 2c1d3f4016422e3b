import { setTimeout as sleep } from 'node:timers/promises';
import { Api, readReceived } from './api.js';
import { ChildError, Children } from './children.js';
import {
  stopInstallation,
  type Installation,
  startInstallation,
  takeOver,
} from './installation.js';
import { type Options, parseOptions, UsageError } from './options.js';
import { done, line, paint, thousands } from './paint.js';
import { createProgress } from './progress.js';
import { loadSampleClients, ZONES } from './sample-clients.js';
import { stopOnSignals } from './signals.js';
import { type Delivery, isComplete, showAddresses, showDelivery, showExample } from './summary.js';

const POLL_MS = 150;
/** Without a single message in this time something is wrong, however slow the machine. */
const STALLED_AFTER_MS = 60_000;

/** Ctrl-C, before everything was delivered. */
class Interrupted extends Error {}

async function main(options: Options): Promise<number> {
  const { promise: interrupted, reject: interrupt } = Promise.withResolvers<never>();
  interrupted.catch(() => undefined);
  stopOnSignals(() => {
    interrupt(new Interrupted());
  });

  line(`${paint('bold', 'Posthorn')}, a message to ${thousands(options.clients)} clients`);
  line();
  const children = new Children(options.folder, await takeOver(options));
  const state = { delivered: false };
  try {
    const show = async () => {
      const installation = await startInstallation(options.folder, children);
      const delivery = await deliver(installation, options.clients);
      showDelivery(delivery);
      state.delivered = isComplete(delivery, options.clients);
      if (!state.delivered)
        throw new Error('Not everybody got exactly one message: see the table.');
      showAddresses(installation);
      showExample(installation, delivery.mailing);
    };
    await Promise.race([show(), children.failure, interrupted]);
    if (!options.exit) {
      line(`\n  ${paint('dim', 'Everything stays up until Ctrl-C.')}`);
      await Promise.race([children.failure, interrupted]);
    }
    return 0;
  } catch (error) {
    if (error instanceof Interrupted) return state.delivered ? 0 : 130;
    line(`\n  ${paint('red', '✘')} ${describe(error)}`);
    return 1;
  } finally {
    line('\n  Stopping …');
    await stopInstallation(children);
    line('  Stopped.');
  }
}

/** One mailing from its creation to its end. */
async function deliver(installation: Installation, clients: number): Promise<Delivery> {
  const tag = await loadSampleClients(installation.databaseUrl, clients);
  done('clients', `${thousands(clients)} with the tag ${tag}, in ${ZONES.length} timezones`);

  const api = new Api(installation.apiUrl, installation.key);
  // The text tells this run's messages from those that an interrupted one may have left to send.
  const text = `Hello from Posthorn! Sent on ${new Date().toISOString()}`;
  const startedAt = Date.now();
  const start = performance.now();
  const mailing = await api.createMailing(`Demo to ${thousands(clients)} clients`, text, tag);
  const statistics = await watch(api, mailing, clients);
  const tookMs = performance.now() - start;
  const received = await readReceived(installation.simulatorUrl, text);
  const { firstAt } = received;
  const firstAfterMs = firstAt === undefined ? undefined : Math.max(0, firstAt - startedAt);
  return { mailing, statistics, received, tookMs, firstAfterMs };
}

async function watch(api: Api, mailing: number, clients: number) {
  const progress = createProgress(clients);
  let last = 0;
  let lastAt = performance.now();
  try {
    for (;;) {
      const statistics = await api.statistics(mailing);
      const { pending = 0, sending = 0 } = statistics.counts;
      const count = statistics.total - pending - sending;
      progress.show(count);
      if (statistics.status === 'completed') return statistics;
      if (count > last) [last, lastAt] = [count, performance.now()];
      if (performance.now() - lastAt > STALLED_AFTER_MS) {
        throw new Error(`Nothing was sent for ${STALLED_AFTER_MS / 1000} s: see the logs.`);
      }
      await sleep(POLL_MS);
    }
  } finally {
    progress.stop();
  }
}

function describe(error: unknown): string {
  if (error instanceof ChildError) return error.message;
  return error instanceof Error ? error.message : String(error);
}

try {
  const options = parseOptions(process.argv.slice(2));
  main(options).then(
    (status) => process.exit(status),
    (error: unknown) => {
      line(describe(error));
      process.exit(1);
    },
  );
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  (error.status === 0 ? process.stdout : process.stderr).write(error.message);
  process.exit(error.status);
}
