import { existsSync, globSync, readFileSync } from 'node:fs';
import { environment, SECRETS } from '@app/platform';
import { parse } from 'yaml';
import { readEnvExample } from '../e2e/containers-files.js';
import { isOurs, type Manifest, nameOf, readManifests, workloads } from './manifests.js';
import { helm, installTools, kubectl } from './tools.js';
import { faultsOfTypes } from './types.js';

const MINUTE = 60_000;
const CHART = 'deploy/helm/posthorn';
const EVERYTHING = ['api.autoscaling', 'worker.autoscaling', 'ingress', 'serviceMonitor'].flatMap(
  (part) => ['--set', `${part}.enabled=true`],
);
const RENDERED: [string, () => Promise<string>][] = [
  ['the overlay demo', () => kubectl('kustomize', 'deploy/kubernetes/overlays/demo')],
  ['the overlay production', () => kubectl('kustomize', 'deploy/kubernetes/overlays/production')],
  ['the chart as it is', () => helm('template', 'posthorn', CHART)],
  ['the chart with everything', () => helm('template', 'posthorn', CHART, ...EVERYTHING)],
];

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
const example = readEnvExample();

beforeAll(installTools, 5 * MINUTE);

describe.each(RENDERED)('%s', (_, render) => {
  let manifests: Manifest[];
  beforeAll(async () => {
    manifests = readManifests(await render());
  }, MINUTE);

  it(
    'has the types of its kinds',
    async () => {
      expect(manifests.length).toBeGreaterThan(10);
      expect(await faultsOfTypes(manifests)).toBe('');
    },
    2 * MINUTE,
  );

  it('sets variables that .env.example explains, secrets only from the Secret', () => {
    const config = manifests.find(({ kind }) => kind === 'ConfigMap')?.data ?? {};
    for (const name of Object.keys(config)) expect(Object.keys(environment.shape)).toContain(name);
    for (const { manifest, pod } of workloads(manifests)) {
      for (const { name, valueFrom } of pod.containers.flatMap(({ env }) => env ?? [])) {
        expect([nameOf(manifest), example.names]).toEqual([
          nameOf(manifest),
          expect.arrayContaining([name]),
        ]);
        const isSecret = (SECRETS as ReadonlySet<string>).has(name) || name.endsWith('PASSWORD');
        expect([name, valueFrom?.secretKeyRef !== undefined]).toEqual([name, isSecret]);
        const { configMapKeyRef: reference } = valueFrom ?? {};
        if (reference && !reference.optional) expect(config).toHaveProperty(reference.key);
      }
    }
  });

  it('gives a process what it cannot do without, and no secret of another one', () => {
    const needed = ['DATABASE_URL', 'NOTIFICATION_API_URL', 'NOTIFICATION_API_TOKEN'];
    const namesOf = (process: string) =>
      workloads(manifests)
        .flatMap(({ pod }) => pod.containers)
        .filter(({ name }) => name === process)
        .flatMap(({ env }) => (env ?? []).map(({ name }) => name));
    expect(namesOf('worker')).toEqual(expect.arrayContaining(needed));
    expect(namesOf('api')).toEqual(expect.arrayContaining(['ADMIN_TOKEN', 'ENCRYPTION_KEY']));
    for (const process of ['worker', 'beat', 'migrate']) {
      expect(namesOf(process)).not.toContain('ADMIN_TOKEN');
    }
    for (const process of ['api', 'beat', 'migrate']) {
      expect(namesOf(process)).not.toContain('NOTIFICATION_API_TOKEN');
    }
  });

  it('starts commands, ports and probes that the code has', () => {
    const ours = workloads(manifests).flatMap(({ pod }) => pod.containers.filter(isOurs));
    expect(ours.length).toBeGreaterThan(3);
    for (const { name, image, command = [], env, ports = [], ...probes } of ours) {
      expect(image.split(':').at(-1)).toBe(version);
      expect(command[0]).toBe('node');
      const source = (command[1] ?? '').replace(/^dist\//, '').replace(/\.js$/, '.ts');
      expect([name, existsSync(source)]).toEqual([name, true]);
      for (const { containerPort } of ports) {
        expect(String(containerPort)).toBe(example.all[`${name.toUpperCase()}_PORT`]);
        expect(env?.map((variable) => variable.name)).toContain(`${name.toUpperCase()}_PORT`);
      }
      for (const probe of [probes.livenessProbe, probes.readinessProbe, probes.startupProbe]) {
        if (!probe) continue;
        expect(['/health/live', '/health/ready']).toContain(probe.httpGet?.path);
        expect(ports.map((port) => port.name)).toContain(probe.httpGet?.port);
      }
    }
  });

  it('bounds every Deployment, asks for its health, and runs it as nobody special', () => {
    const all = workloads(manifests);
    for (const { manifest, pod } of all) {
      expect([nameOf(manifest), pod.securityContext?.runAsNonRoot]).toEqual([
        nameOf(manifest),
        true,
      ]);
      expect(pod.automountServiceAccountToken).toBe(false);
      for (const container of pod.containers) {
        expect(container.resources?.requests).toEqual({
          cpu: expect.any(String) as string,
          memory: expect.any(String) as string,
        });
        expect(container.resources?.limits).toHaveProperty('memory');
        expect(container.securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
        if (manifest.kind !== 'Deployment') continue;
        expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(20);
        expect(container).toHaveProperty('livenessProbe');
        expect(container).toHaveProperty('readinessProbe');
      }
    }
    const deployments = all.filter(({ manifest }) => manifest.kind === 'Deployment');
    expect(deployments.length).toBeGreaterThanOrEqual(3);
  });

  it('leads every Service, budget and autoscaler to pods that exist', () => {
    const labels = workloads(manifests).map(
      ({ manifest }) => manifest.spec?.template?.metadata.labels,
    );
    const selects = (selector: Record<string, unknown>) =>
      labels.some((of) => Object.entries(selector).every(([key, value]) => of?.[key] === value));
    for (const manifest of manifests) {
      const { selector } = manifest.spec ?? {};
      if (manifest.kind === 'Service')
        expect([nameOf(manifest), selects(selector ?? {})]).toEqual([nameOf(manifest), true]);
      if (manifest.kind === 'PodDisruptionBudget') {
        expect(selects((selector as { matchLabels: Record<string, string> }).matchLabels)).toBe(
          true,
        );
      }
      const target = manifest.spec?.scaleTargetRef as { name: string } | undefined;
      if (target) {
        expect(manifests.map(nameOf)).toContain(`Deployment ${target.name}`);
      }
    }
  });

  it('migrates by a Job of this version', () => {
    const job = manifests.find(({ kind }) => kind === 'Job');
    expect(job?.metadata.name).toContain(`migrate-${version.replaceAll('.', '-')}`);
  });

  it('asks for metrics that exist', () => {
    const page = readFileSync('docs/metrics.md', 'utf8');
    const documented = [...page.matchAll(/`(posthorn_\w+)`/g)].map(([, name]) => name);
    const queries = manifests.flatMap(
      ({ spec }) => spec?.triggers?.map(({ metadata }) => metadata.query ?? '') ?? [],
    );
    for (const [metric] of queries.join('\n').matchAll(/\bposthorn_\w+/g)) {
      expect(documented).toContain(metric);
    }
  });
});

it(
  'a misspelt field is a fault of its type',
  async () => {
    const manifest = readManifests(
      await kubectl('kustomize', 'deploy/kubernetes/overlays/demo'),
    ).find(({ kind }) => kind === 'Deployment');
    const misspelt = { ...manifest, spec: { ...manifest?.spec, replica: 1 } } as Manifest;
    expect(await faultsOfTypes([misspelt])).toContain('does not exist in type');
  },
  2 * MINUTE,
);

it('every kustomization names its kind', () => {
  const files = globSync('deploy/kubernetes/**/kustomization.yaml');
  expect(files).toHaveLength(3);
  for (const file of files) {
    expect((parse(readFileSync(file, 'utf8')) as Manifest).kind).toBe('Kustomization');
  }
});

describe('the chart', () => {
  it('is what helm lint wants, of the version of the project', async () => {
    expect(await helm('lint', '--strict', CHART)).toContain('0 chart(s) failed');
    const chart = parse(readFileSync(`${CHART}/Chart.yaml`, 'utf8')) as Record<string, unknown>;
    expect([chart.version, chart.appVersion]).toEqual([version, version]);
  });

  it('refuses a value that it does not know', async () => {
    await expect(helm('template', 'x', CHART, '--set', 'worker.replica=3')).rejects.toThrow(
      /replica/,
    );
  });
});
