import { parseAllDocuments } from 'yaml';

interface Probe {
  httpGet?: { path: string; port: string | number };
  exec?: { command: string[] };
}

export interface Variable {
  name: string;
  value?: string;
  valueFrom?: Partial<
    Record<'configMapKeyRef' | 'secretKeyRef', { name: string; key: string; optional?: boolean }>
  >;
}

export interface Container {
  name: string;
  image: string;
  command?: string[];
  env?: Variable[];
  ports?: { name: string; containerPort: number }[];
  resources?: Partial<Record<'requests' | 'limits', Record<string, string>>>;
  securityContext?: Record<string, unknown>;
  startupProbe?: Probe;
  livenessProbe?: Probe;
  readinessProbe?: Probe;
}

export interface PodSpec {
  containers: Container[];
  securityContext?: { runAsNonRoot?: boolean };
  automountServiceAccountToken?: boolean;
  terminationGracePeriodSeconds?: number;
}

export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string };
  data?: Record<string, string>;
  spec?: {
    template?: { metadata: { labels: Record<string, string> }; spec: PodSpec };
    selector?: Record<string, unknown>;
    ports?: { port: number; targetPort: string | number }[];
    triggers?: { metadata: Record<string, string> }[];
  } & Record<string, unknown>;
}

/** @throws Error at the first document that is no YAML */
export function readManifests(yaml: string): Manifest[] {
  return parseAllDocuments(yaml).flatMap((document) => {
    const [error] = document.errors;
    if (error) throw error;
    return (document.toJS() as Manifest | null) ?? [];
  });
}

export const nameOf = ({ kind, metadata }: Manifest): string => `${kind} ${metadata.name}`;

/** Deployments and Jobs, with their pods. */
export function workloads(manifests: Manifest[]): { manifest: Manifest; pod: PodSpec }[] {
  return manifests.flatMap((manifest) => {
    const pod = manifest.spec?.template?.spec;
    return pod ? [{ manifest, pod }] : [];
  });
}

/** Our own processes: those that run our image. */
export function isOurs({ image }: Container): boolean {
  return /(^|\/)posthorn:/.test(image);
}
