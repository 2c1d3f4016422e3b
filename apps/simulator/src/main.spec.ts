import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { call } from '../test/client.js';

const MAIN = 'dist/apps/simulator/src/main.js';

interface Started {
  msg: string;
  port: number;
  url: string;
  controlUrl: string;
}

describe('the process', () => {
  const children: ChildProcess[] = [];
  beforeAll(() => {
    if (!existsSync(MAIN)) throw new Error('run `npm run build` first: this starts the built file');
  });
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
  });

  function run(environment: Record<string, string>) {
    const child = spawn(process.execPath, [MAIN], {
      env: { PATH: process.env.PATH, SIMULATOR_PORT: '0', ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.push(child);
    return child;
  }

  async function started(child: ReturnType<typeof run>): Promise<Started> {
    for await (const line of createInterface({ input: child.stdout })) {
      const entry = JSON.parse(line) as Started;
      if (entry.msg === 'started') return entry;
    }
    throw new Error('it ended without a start');
  }

  it('names its free ports in JSON, and ends with 0 on SIGTERM even while a request hangs', async () => {
    const child = run({
      SIMULATOR_CONTROL_PORT: '0',
      SIMULATOR_TOKEN: 'a',
      SIMULATOR_FAULTS: '{"rules":[{"fault":"hang"}]}',
    });
    const { url, port, controlUrl } = await started(child);
    expect(url).toBe(`http://127.0.0.1:${port}`);
    expect(controlUrl).not.toBe(url);
    const hanging = call(`${url}/v1/send/1`, {
      method: 'POST',
      headers: { authorization: 'Bearer a' },
      body: '{"id":1,"phone":79261234567,"text":"a"}',
    });
    let summary: { requests: number };
    do {
      const { body } = await call(`${controlUrl}/received`);
      summary = JSON.parse(body.toString()) as { requests: number };
    } while (summary.requests === 0);
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
    expect((await hanging).error).toBe('ECONNRESET');
  });

  it.each([
    ['{"rules":[{"fault":"status","status":99}]}', 'SIMULATOR_FAULTS: rules[0].status'],
    ['{"refuse":true}', 'SIMULATOR_FAULTS: refuse'],
    ['{', 'SIMULATOR_FAULTS: must be a JSON document'],
  ])('does not start with SIMULATOR_FAULTS=%s and says why', async (json, words) => {
    const child = run({ SIMULATOR_FAULTS: json });
    let errors = '';
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    const [status] = (await once(child, 'close')) as [number];
    expect(status).toBe(1);
    expect(errors).toContain(words);
  });
});
