import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { environment, loadConfig, SECRETS, type Variable } from '@app/platform';
import {
  buildContext,
  CONTAINER_VARIABLES,
  interpolate,
  ourServices,
  readCompose,
  readDockerfile,
  readEnvExample,
} from './containers-files.js';

const variables = Object.keys(environment.shape) as Variable[];
const compose = readCompose();
const example = readEnvExample();

/** `dist/apps/x/src/main.js` is compiled from `apps/x/src/main.ts`. */
function sourceOf(command: readonly string[]): string {
  return (command.at(-1) ?? '').replace(/^dist\//, '').replace(/\.js$/, '.ts');
}

describe('.env.example', () => {
  it('documents every variable that the code and the containers read, each once, and no other', () => {
    expect([...example.names].sort()).toEqual([...variables, ...CONTAINER_VARIABLES].sort());
  });

  it('holds values that every process accepts', () => {
    expect(loadConfig(variables, example.set)).toMatchObject({ API_PORT: 8000 });
    expect(loadConfig(variables, example.all)).toMatchObject({ NOTIFICATION_API_RATE: 100 });
  });

  it('shows the defaults that the code has', () => {
    const required = ['DATABASE_URL', 'NOTIFICATION_API_URL', 'NOTIFICATION_API_TOKEN'];
    const without = Object.fromEntries(required.map((name) => [name, example.set[name]]));
    const defaults = loadConfig(variables, without);
    for (const name of variables) {
      const value = defaults[name];
      if (value === undefined || required.includes(name)) continue;
      expect([name, example.all[name]]).toEqual([name, String(value)]);
    }
  });
});

describe('docker-compose.yml', () => {
  it('runs every process from the one image, and what they depend on', () => {
    expect(Object.keys(compose.services).sort()).toEqual(
      ['postgres', 'redis', 'migrate', 'api', 'worker', 'beat', 'mailpit', 'simulator'].sort(),
    );
    expect(ourServices().map(([name]) => name)).toEqual([
      'migrate',
      'api',
      'worker',
      'beat',
      'simulator',
    ]);
  });

  it.each(ourServices())('starts %s by a command that exists in the code', (_, service) => {
    const command = (service.command ?? '').split(' ');
    expect(command[0]).toBe('node');
    expect(existsSync(sourceOf(command))).toBe(true);
  });

  it('names variables of .env.example only, with its defaults', () => {
    const { used } = interpolate(readFileSync('docker-compose.yml', 'utf8'));
    expect(used.length).toBeGreaterThan(0);
    for (const { name, fallback } of used) {
      const variable = name.replace(/_FILE$/, '');
      expect(example.names).toContain(variable);
      if (name !== variable) expect(SECRETS.has(variable as Variable)).toBe(true);
      if (fallback !== '') expect([name, fallback]).toEqual([name, example.all[name]]);
    }
  });

  it('gives each process the variables that it reads, each secret as a file too', () => {
    for (const [name, { environment: given = {} }] of ourServices()) {
      for (const [variable, value] of Object.entries(given)) {
        expect([name, variable, interpolate(value, { [variable]: 'x' }).result]).toEqual([
          name,
          variable,
          'x',
        ]);
        if (SECRETS.has(variable as Variable)) {
          const asFile = name === 'simulator' ? [] : [`${variable}_FILE`];
          expect(Object.keys(given)).toEqual(expect.arrayContaining(asFile));
        }
      }
    }
    const variablesOf = (name: string) => Object.keys(compose.services[name]?.environment ?? {});
    expect(variablesOf('worker')).not.toContain('ADMIN_TOKEN');
    for (const name of ['migrate', 'beat', 'api']) {
      expect(variablesOf(name)).not.toContain('NOTIFICATION_API_TOKEN');
    }
    for (const name of ['migrate', 'beat', 'simulator']) {
      expect(variablesOf(name)).not.toContain('ENCRYPTION_KEY');
      expect(variablesOf(name)).not.toContain('ADMIN_TOKEN');
    }
  });

  it('connects with the names, ports and credentials of its own services', () => {
    const { postgres, redis, simulator, mailpit } = compose.services;
    const { set } = example;
    const database = new URL(set.DATABASE_URL ?? '');
    expect(compose.services).toHaveProperty(database.hostname);
    expect(database.port).toBe('5432');
    const given = Object.entries(postgres?.environment ?? {}).map(([name, value]) => [
      name,
      interpolate(value, { ...set, POSTGRES_PASSWORD: 'POSTGRES_PASSWORD' }).result,
    ]);
    expect(Object.fromEntries(given)).toEqual({
      POSTGRES_USER: database.username,
      POSTGRES_PASSWORD: database.password,
      POSTGRES_DB: database.pathname.slice(1),
    });
    expect(set.QUEUE_URL).toBe('redis://:REDIS_PASSWORD@redis:6379');
    expect(redis?.command).toContain('--requirepass ${REDIS_PASSWORD:?');
    const provider = new URL(set.NOTIFICATION_API_URL ?? '');
    expect(compose.services).toHaveProperty(provider.hostname);
    expect(interpolate(simulator?.ports?.[0] ?? '').result).toContain(`:${provider.port}:`);
    expect(mailpit?.image).toContain('mailpit');
    expect(set.SMTP_URL).toBe('smtp://mailpit:1025'); // the port that its image listens on
  });

  it('does not start before the script has chosen the passwords', () => {
    const text = readFileSync('docker-compose.yml', 'utf8');
    for (const name of ['POSTGRES_PASSWORD', 'REDIS_PASSWORD']) {
      expect(text).toContain(`\${${name}:?run sh scripts/env.sh`);
      expect(example.set[name]).toBe('');
    }
  });

  it('publishes on loopback unless it is told otherwise, and keeps the servers to themselves', () => {
    for (const { ports = [] } of Object.values(compose.services)) {
      for (const port of ports) expect(interpolate(port).result).toMatch(/^127\.0\.0\.1:/);
    }
    expect(compose.networks.data?.internal).toBe(true);
    expect(compose.services.postgres?.networks).toEqual(['data']);
    expect(compose.services.redis?.networks).toEqual(['data']);
  });

  it('runs two workers and two beats, every process on a root that it cannot write to', () => {
    expect([compose.services.worker?.scale, compose.services.beat?.scale]).toEqual([2, 2]);
    for (const [, service] of ourServices()) {
      expect(service.read_only).toBe(true);
      expect(service.tmpfs).toEqual(['/tmp']);
    }
  });

  it('takes exact versions of what is not ours', () => {
    for (const { image } of Object.values(compose.services)) {
      if (image !== 'posthorn') expect(image).toMatch(/^[a-z/]+:v?\d+\.\d+(\.\d+)?(-[a-z]+)?$/);
    }
  });

  it('waits for the migration, and asks every process for its health on its own port', () => {
    const ports = {
      api: 'API_PORT',
      worker: 'WORKER_PORT',
      beat: 'BEAT_PORT',
      simulator: 'SIMULATOR_PORT',
    };
    for (const [name, port] of Object.entries(ports)) {
      const service = compose.services[name];
      if (name !== 'simulator') {
        expect(service?.depends_on?.migrate?.condition).toBe('service_completed_successfully');
      }
      const [, runtime, script, url] = service?.healthcheck?.test ?? [];
      expect(runtime).toBe('node');
      expect(existsSync(script ?? '')).toBe(true);
      expect(interpolate(url ?? '', { [port]: '4711' }).result).toBe(
        'http://127.0.0.1:4711/health/ready',
      );
    }
  });

  it('keeps what stands in for others out unless the demo is asked for, and the databases off the network', () => {
    for (const name of ['simulator', 'mailpit']) {
      expect(compose.services[name]?.profiles).toEqual(['demo']);
    }
    const always = Object.entries(compose.services).filter(([, { profiles }]) => !profiles);
    expect(always).toHaveLength(6);
    expect(compose.services.postgres?.ports).toBeUndefined();
    expect(compose.services.redis?.ports).toBeUndefined();
  });

  it('gives a process longer to stop than it takes, and never evicts a job', () => {
    for (const [, service] of ourServices()) {
      expect(Number.parseInt(service.stop_grace_period ?? '0')).toBeGreaterThan(20);
    }
    expect(compose.services.redis?.command).toContain('--maxmemory-policy noeviction');
    expect(compose.services.redis?.command).toContain('--appendonly yes');
    for (const service of Object.values(compose.services)) {
      for (const volume of service.volumes ?? []) {
        expect(compose.volumes).toHaveProperty(volume.split(':')[0] ?? '');
      }
    }
  });
});

describe('Dockerfile', () => {
  const instructions = readDockerfile();
  const of = (name: string) => instructions.filter((instruction) => instruction.name === name);

  it('runs on the Node version that the project is tested on, not as root', () => {
    const { devDependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as {
      devDependencies: { node: string };
    };
    for (const from of of('FROM')) expect(from.words[0]).toBe(`node:${devDependencies.node}-slim`);
    expect(readFileSync('.nvmrc', 'utf8').trim()).toBe(devDependencies.node);
    expect(of('USER').at(-1)?.words).toEqual(['node']);
  });

  it('starts the api by default, and names the ports of the code', () => {
    const [command] = of('CMD');
    expect(existsSync(sourceOf(command?.words ?? []))).toBe(true);
    const ports = ['API_PORT', 'WORKER_PORT', 'BEAT_PORT', 'SIMULATOR_PORT'];
    expect(of('EXPOSE')[0]?.words).toEqual(ports.map((name) => example.all[name]));
  });

  it('is given sources only: no settings, no tests, no working data', () => {
    const tracked = execFileSync('git', ['ls-files'], { encoding: 'utf8' }).trim().split('\n');
    const secrets = ['.env', 'apps/api/src/.env.local/dist/x', '.posthorn/demo/key', 'dist/a.js'];
    const context = buildContext([...tracked, ...secrets, 'apps/web/node_modules/x/index.js']);
    expect(context).toContain('apps/api/src/main.ts');
    expect(context).toContain('package-lock.json');
    for (const file of context) {
      expect(file).toMatch(
        /^(package(-lock)?\.json|nest-cli\.json|tsconfig(\.build)?\.json|(apps|libs)\/.+|scripts\/healthcheck\.mjs)$/,
      );
      expect(file).not.toMatch(
        /\.(spec|conformance)\.ts$|^libs\/testkit\/|node_modules|(^|\/)\.env|\bdist\//,
      );
    }
  });
});
