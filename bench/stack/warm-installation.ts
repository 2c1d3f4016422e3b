import type { RunningRedis } from '@app/testkit';
import { WARM_UP_CLIENTS, WARM_UP_CODE } from './clients.js';
import { Installation, type InstallationOptions } from './installation.js';
import type { Servers } from './servers.js';

export type Backend = 'redis' | 'postgres';

export interface WarmInstallationOptions extends Pick<
  InstallationOptions,
  'workers' | 'concurrency' | 'checkout'
> {
  backend: Backend;
  clients: number;
}

const WARM_UP_LIMIT_MS = 30_000;

/**
 * Starts everything, on a fresh database with so many clients and a fresh queue, warms it up with
 * a mailing to 1,000 of them, lets `use` measure and puts it all away.
 */
export async function withWarmInstallation<T>(
  servers: Servers,
  { backend, clients, ...processes }: WarmInstallationOptions,
  use: (installation: Installation, redis: RunningRedis | null) => Promise<T>,
): Promise<T> {
  const { simulator } = servers;
  const database = await servers.createDatabase(clients, processes.checkout);
  const redis = backend === 'redis' ? await servers.startRedis() : null;
  try {
    const installation = await Installation.open({
      databaseUrl: database.url,
      queueUrl: redis?.url ?? database.url,
      providerUrl: simulator.providerUrl,
      ...processes,
    });
    try {
      await warmUp(installation);
      await simulator.forget();
      return await use(installation, redis);
    } finally {
      await installation.close();
    }
  } finally {
    await redis?.stop();
    await database.drop();
  }
}

/** The first second of a process is spent on compiling its code, once in the life of an installation. */
async function warmUp({ api }: Installation): Promise<void> {
  const { id } = await api.createMailing('warm-up', { filter: { operatorCodes: [WARM_UP_CODE] } });
  await api.untilFinished(id, WARM_UP_LIMIT_MS);
  await api.checkCounts(id, WARM_UP_CLIENTS, ['sent']);
}
