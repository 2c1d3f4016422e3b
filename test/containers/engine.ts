import { execFile } from 'node:child_process';
import { request } from 'node:http';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const OUTPUT_LIMIT = 20 * 1024 * 1024;

export interface ContainerState {
  Id: string;
  Config: { User: string; Env: string[]; Labels: Record<string, string> };
  HostConfig: { ReadonlyRootfs: boolean };
  State: { Status: string; ExitCode: number; Health?: { Status: string } };
}

/** A container engine behind Docker's API, and the compose project of one test. */
export class Engine {
  constructor(
    private readonly project: string,
    private readonly envFile: string,
  ) {}

  /** Whether there is any engine to test with. */
  static async isThere(): Promise<boolean> {
    try {
      return (await call('GET', '/_ping')).status === 200;
    } catch {
      return false;
    }
  }

  /** @throws Error with what compose complains of */
  async compose(...words: string[]): Promise<string> {
    const [command, ...first] = await composeCommand();
    const project = ['--project-name', this.project, '--env-file', this.envFile];
    const all = [...first, ...project, '--profile', 'demo', ...words];
    const { stdout } = await execute(command, all, { maxBuffer: OUTPUT_LIMIT });
    return stdout;
  }

  /** The containers of a service, running or not; of all services without a name. */
  async containers(service?: string): Promise<ContainerState[]> {
    const label = [`com.docker.compose.project=${this.project}`];
    if (service !== undefined) label.push(`com.docker.compose.service=${service}`);
    const filters = encodeURIComponent(JSON.stringify({ label }));
    const list = await this.get<{ Id: string }[]>(`/containers/json?all=true&filters=${filters}`);
    return Promise.all(list.map(({ Id }) => this.get<ContainerState>(`/containers/${Id}/json`)));
  }

  async kill({ Id }: ContainerState): Promise<void> {
    await this.post(`/containers/${Id}/kill?signal=SIGKILL`);
  }

  async restart({ Id }: ContainerState): Promise<void> {
    await this.post(`/containers/${Id}/restart?t=20`);
  }

  /** @returns what the command printed in the container. */
  async run({ Id }: ContainerState, ...command: string[]): Promise<string> {
    const body = { AttachStdout: true, AttachStderr: true, Tty: true, Cmd: command };
    const { Id: id } = await this.post<{ Id: string }>(`/containers/${Id}/exec`, body);
    const { text } = await call('POST', `/exec/${id}/start`, { Detach: false, Tty: true });
    return text;
  }

  private async get<T>(path: string): Promise<T> {
    return JSON.parse((await ok(call('GET', path))).text) as T;
  }

  private async post<T = unknown>(path: string, body?: unknown): Promise<T> {
    const { text } = await ok(call('POST', path, body));
    return (text.trim() === '' ? undefined : JSON.parse(text)) as T;
  }
}

export const serviceOf = ({ Config }: ContainerState): string =>
  Config.Labels['com.docker.compose.service'] ?? '';

let found: Promise<[string, ...string[]]> | undefined;

/** `docker compose`, or the older program of one word. */
function composeCommand(): Promise<[string, ...string[]]> {
  found ??= execute('docker', ['compose', 'version']).then(
    () => ['docker', 'compose'],
    () => ['docker-compose'],
  );
  return found;
}

interface Answer {
  status: number;
  text: string;
}

function call(method: string, path: string, body?: unknown): Promise<Answer> {
  const host = new URL(process.env.DOCKER_HOST ?? 'unix:///var/run/docker.sock');
  const to =
    host.protocol === 'unix:'
      ? { socketPath: host.pathname }
      : { host: host.hostname, port: host.port || 2375 };
  return new Promise((resolve, reject) => {
    const headers = { host: 'engine', 'content-type': 'application/json' };
    const sent = request({ ...to, method, path: `/v1.41${path}`, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() });
      });
      response.on('error', reject);
    });
    sent.setTimeout(60_000, () => sent.destroy(new Error(`${method} ${path}: no answer`)));
    sent.on('error', reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

async function ok(answer: Promise<Answer>): Promise<Answer> {
  const { status, text } = await answer;
  if (status >= 400) throw new Error(`The engine answered ${status}: ${text}`);
  return { status, text };
}
