import { join } from 'node:path';
import pg from 'pg';
import type { CrashablePostgres } from './crashable-postgres.js';
import { FaultProxy } from './fault-proxy.js';
import { freePort } from './free-port.js';
import { startProcess, type Exit, type ProcessName, type RunningProcess } from './process.js';
import { startRedis, type RunningRedis } from './redis.js';
import { StandIn } from './stand-in.js';
import { waitFor } from './wait-for.js';

export type Backend = 'redis' | 'postgres';
export type AppName = Exclude<ProcessName, 'simulator'>;
export type Environment = Record<string, string | undefined>;

export interface ClusterOptions {
  backend: Backend;
  postgres: CrashablePostgres;
  /** For Redis's files. */
  directory: string;
  workers?: number;
  beats?: number;
  /** Messages that each worker sends at a time. */
  concurrency?: number;
  /** Added to the environment of api, workers and beats. */
  environment?: Environment;
  /** Whether there is a second provider, at FAULTS_SECOND_API_URL. */
  secondProvider?: boolean;
  /** Before the first process of ours starts: the database is there. */
  prepare?: (db: pg.Pool) => Promise<void>;
}

/** Several clusters may be starting at once, on few cores. */
const START_LIMIT_MS = 90_000;

/** The suite's own session settings, while scenarios set others for the database. */
const OWN_SETTINGS = [
  'DateStyle=ISO',
  'IntervalStyle=postgres',
  'TimeZone=UTC',
  'extra_float_digits=1',
  'bytea_output=hex',
  'standard_conforming_strings=on',
  'array_nulls=on',
  'search_path=public',
  'default_transaction_isolation=read\\ committed',
  'default_transaction_read_only=off',
  'lock_timeout=0',
  'idle_session_timeout=0',
  'exit_on_error=off',
];

/** Another stand-in with faults of its own, and the proxy in front of it. */
export interface SecondProvider {
  provider: StandIn;
  proxy: FaultProxy;
}

/** How a process ended that was asked to. */
export interface Stopped extends Exit {
  name: ProcessName;
  pid: number;
  tookMs: number;
}

/** A JWT without a secret in it, but one that must not show in a log. */
export const PROVIDER_TOKEN =
  'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJwb3N0aG9ybiIsImV4cCI6NDEwMjQ0NDgwMH0.ZmF1bHRzdWl0ZQ';
export const ADMIN_TOKEN = 'fault-suite-admin-token-5b1f';

/**
 * The whole installation on loopback, each process a real one, with a TCP fault proxy in front of
 * PostgreSQL, of Redis and of the provider. The database itself is reached past the proxy by `db`.
 */
export class Cluster {
  readonly workers: RunningProcess[] = [];
  readonly beats: RunningProcess[] = [];
  /** Every process that was ever started, for its log. */
  readonly all: RunningProcess[] = [];
  api: RunningProcess;
  private redis: RunningRedis | undefined;
  private readonly frozen = new Set<RunningProcess>();

  private constructor(
    readonly options: ClusterOptions,
    readonly databaseUrl: string,
    readonly db: pg.Pool,
    readonly provider: StandIn,
    readonly proxies: { postgres: FaultProxy; provider: FaultProxy; redis: FaultProxy | null },
    private readonly redisPort: number,
    readonly second: SecondProvider | null,
  ) {}

  /** @throws when a process does not start; what had been started is ended then. */
  static async start(options: ClusterOptions): Promise<Cluster> {
    const databaseUrl = await options.postgres.createDatabase();
    const db = new pg.Pool({
      connectionString: databaseUrl,
      max: 8,
      application_name: 'suite',
      options: OWN_SETTINGS.map((setting) => `-c ${setting}`).join(' '),
    });
    db.on('error', () => undefined); // the server is crashed on purpose
    const provider = await StandIn.start(PROVIDER_TOKEN, process.env.PATH);
    const redisPort = await freePort();
    const proxies = {
      postgres: await FaultProxy.start(options.postgres.port),
      provider: await FaultProxy.start(provider.port),
      redis: options.backend === 'redis' ? await FaultProxy.start(redisPort) : null,
    };
    const second = options.secondProvider ? await startSecondProvider() : null;
    const cluster = new Cluster(options, databaseUrl, db, provider, proxies, redisPort, second);
    try {
      await cluster.startEverything();
      return cluster;
    } catch (error) {
      await cluster.destroy();
      throw error;
    }
  }

  get concurrency(): number {
    return this.options.concurrency ?? 16;
  }

  /** What a process of ours gets: every service by its proxy. */
  environment(changes: Environment = {}): Environment {
    const { postgres, provider, redis } = this.proxies;
    const database = this.databaseUrl.replace(/:\d+\//, `:${postgres.port}/`);
    return {
      DATABASE_URL: database,
      QUEUE_URL: redis ? `redis://127.0.0.1:${redis.port}` : database,
      NOTIFICATION_API_URL: `http://127.0.0.1:${provider.port}/v1`,
      NOTIFICATION_API_TOKEN: PROVIDER_TOKEN,
      ...(this.second && {
        FAULTS_SECOND_API_URL: `http://127.0.0.1:${this.second.proxy.port}/v1`,
      }),
      DELIVERY_CONCURRENCY: String(this.concurrency),
      API_HOST: '127.0.0.1',
      API_PORT: '0',
      WORKER_PORT: '0',
      BEAT_PORT: '0',
      ADMIN_TOKEN,
      ENCRYPTION_KEY: 'fault-suite-encryption-key',
      LOG_LEVEL: 'debug',
      ...this.options.environment,
      ...changes,
    };
  }

  async startWorker(changes: Environment = {}): Promise<RunningProcess> {
    const worker = await this.launch('worker', changes);
    this.workers.push(worker);
    return worker;
  }

  async startBeat(changes: Environment = {}): Promise<RunningProcess> {
    const beat = await this.launch('beat', changes);
    this.beats.push(beat);
    return beat;
  }

  async startApi(): Promise<RunningProcess> {
    this.api = await this.launch('api', {});
    return this.api;
  }

  /** The beat that leads; waits until there is one. */
  leader(timeoutMs = 15_000): Promise<RunningProcess> {
    return waitFor(
      async () => {
        const answers = await Promise.all(
          this.beats.map((beat) => this.leads(beat).catch(() => false)),
        );
        return this.beats[answers.indexOf(true)];
      },
      { timeoutMs, what: 'one of the beats leads' },
    );
  }

  /** Whether this beat reports that it leads; rejects when it does not answer. */
  async leads(beat: RunningProcess): Promise<boolean> {
    const metrics = await fetch(`${beat.url}/metrics`, { signal: AbortSignal.timeout(1_000) });
    return (await metrics.text()).includes('\nposthorn_beat_leader 1');
  }

  /** SIGKILL: ends at once, whatever it was doing. */
  async kill(victim: RunningProcess): Promise<void> {
    await victim.kill();
    this.forget(victim);
  }

  /** SIGTERM: it finishes what it has in hand. */
  async stop(victim: RunningProcess): Promise<Stopped> {
    const startedAt = performance.now();
    // One that has to be killed is a bad end like others, and is reported with them.
    const exit = await victim.stop().catch(() => victim.exited);
    this.forget(victim);
    const { name, pid } = victim;
    return { ...exit, name, pid, tookMs: performance.now() - startedAt };
  }

  /** SIGSTOP: no instruction runs until `thaw`. */
  freeze(victim: RunningProcess): void {
    victim.signal('SIGSTOP');
    this.frozen.add(victim);
  }

  thaw(victim: RunningProcess): void {
    victim.signal('SIGCONT');
    this.frozen.delete(victim);
  }

  async stopRedis(): Promise<void> {
    await this.redis?.stop();
    this.redis = undefined;
  }

  async startRedis(): Promise<void> {
    this.redis = await startRedis({
      port: this.redisPort,
      directory: join(this.options.directory, `redis-${this.redisPort}`),
      appendonly: true,
    });
  }

  /** The queue's own URL, past the proxy. */
  get queueUrl(): string {
    return this.proxies.redis ? `redis://127.0.0.1:${this.redisPort}` : this.databaseUrl;
  }

  /** Repairs everything; stopped processes continue. */
  async heal(): Promise<void> {
    for (const victim of this.frozen) this.thaw(victim);
    const { postgres, provider, redis } = this.proxies;
    await Promise.all([postgres.heal(), provider.heal(), redis?.heal(), this.second?.proxy.heal()]);
  }

  /** Asks every process of ours to end, and returns how it ended. The stand-in and the database stay. */
  async stopApps(): Promise<Stopped[]> {
    const running = [this.api, ...this.workers, ...this.beats];
    return Promise.all(running.map((victim) => this.stop(victim)));
  }

  /** Ends all that is left, by force. */
  async destroy(): Promise<void> {
    await Promise.all(this.all.map((victim) => victim.kill()));
    await Promise.all([this.provider.process.kill(), this.second?.provider.process.kill()]);
    await this.redis?.kill();
    const { postgres, provider, redis } = this.proxies;
    await Promise.all([
      postgres.close(),
      provider.close(),
      redis?.close(),
      this.second?.proxy.close(),
    ]);
    await this.db.end();
  }

  private async startEverything(): Promise<void> {
    const { backend, workers = 1, beats = 1, prepare } = this.options;
    if (backend === 'redis') await this.startRedis();
    await prepare?.(this.db);
    await Promise.all([
      this.startApi(),
      ...Array.from({ length: workers }, () => this.startWorker()),
      ...Array.from({ length: beats }, () => this.startBeat()),
    ]);
    await this.leader();
  }

  private async launch(name: AppName, changes: Environment): Promise<RunningProcess> {
    const launched = await startProcess(name, this.environment(changes), {
      startTimeoutMs: START_LIMIT_MS,
    });
    this.all.push(launched);
    return launched;
  }

  private forget(victim: RunningProcess): void {
    this.frozen.delete(victim);
    for (const list of [this.workers, this.beats]) {
      const index = list.indexOf(victim);
      if (index >= 0) list.splice(index, 1);
    }
  }
}

async function startSecondProvider(): Promise<SecondProvider> {
  const provider = await StandIn.start(PROVIDER_TOKEN, process.env.PATH);
  return { provider, proxy: await FaultProxy.start(provider.port) };
}
