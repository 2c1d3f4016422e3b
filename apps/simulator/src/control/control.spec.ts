import SwaggerParser from '@apidevtools/swagger-parser';
import { call, control, putFaults, send, start, type Settings } from '../../test/client.js';
import type { Simulator } from '../simulator.js';

type Document = Parameters<typeof SwaggerParser.validate>[0];

describe('the control routes', () => {
  let simulator: Simulator;
  beforeAll(async () => {
    simulator = await start({ controlPort: 0 });
  });
  afterAll(() => simulator.close());

  it('are served on both ports, the provider on one', async () => {
    expect((await call(`${simulator.url}/received`)).status).toBe(200);
    expect((await call(`${simulator.controlUrl}/received/`)).status).toBe(200);
    expect((await call(`${simulator.controlUrl}/v1/send/1`, { method: 'POST' })).status).toBe(404);
  });

  it('answer the settings with every default, and take the same document back', async () => {
    const settings: Settings = { rules: [{ fault: 'drip', share: 0.5 }], token: {} };
    const { json } = await control(simulator, 'PUT', '/faults', settings);
    const view = json as { settings: Settings };
    expect(view.settings).toEqual({
      seed: 1,
      latency: { distribution: 'fixed', ms: 0 },
      refuse: false,
      token: { expired: false },
      rules: [{ fault: 'drip', share: 0.5, intervalMs: 1_000, part: 'body' }],
    });
    await putFaults(simulator, view.settings);
    expect((await control(simulator, 'GET', '/faults')).json).toEqual(view);
  });

  it('count how often each rule fired until it is put again, and reset switches all off', async () => {
    await putFaults(simulator, {
      rules: [
        { fault: 'status', status: 500, ids: [1] },
        { fault: 'html', ids: [2] },
      ],
    });
    for (const id of [1, 2, 2, 3]) await send(simulator, id);
    const fired = async () => (await control(simulator, 'GET', '/faults')).json;
    expect(await fired()).toMatchObject({ fired: { rules: [1, 2], expiredToken: 0 } });
    const { json } = await control(simulator, 'POST', '/faults/reset');
    expect(json).toMatchObject({ settings: { rules: [] }, fired: { rules: [] } });
    expect((await send(simulator, 1)).status).toBe(200);
  });

  it.each<[string, unknown]>([
    ['rules[0].fault', { rules: [{ fault: 'fire' }] }],
    ['rules[1].status', { rules: [{ fault: 'html' }, { fault: 'status', status: 99 }] }],
    ['rules[0].share', { rules: [{ fault: 'html', share: 1.5 }] }],
    ['rules[0].shar', { rules: [{ fault: 'html', shar: 1 }] }],
    ['rules[0].code', { rules: [{ fault: 'wrong-code', code: 0 }] }],
    ['rules[0].headers.a', { rules: [{ fault: 'status', status: 302, headers: { a: 'ä\n' } }] }],
    ['latency.maxMs', { latency: { distribution: 'uniform', minMs: 2, maxMs: 1 } }],
    ['token.expired', { token: { expired: 'yes' } }],
    ['refuse', { refuse: 'yes' }],
    ['latencyMs', { latencyMs: 5 }],
    ['', []],
  ])('name the setting that is wrong: %s', async (path, settings) => {
    await putFaults(simulator, { seed: 77 });
    const { status, headers, json } = await control(simulator, 'PUT', '/faults', settings);
    expect(status).toBe(422);
    expect(headers['content-type']).toBe('application/problem+json');
    expect(json).toMatchObject({ status: 422, errors: [{ path }] });
    const after = await control(simulator, 'GET', '/faults');
    expect(after.json).toMatchObject({ settings: { seed: 77 } });
  });

  it('answer malformed JSON with 400 and an unknown path with 404', async () => {
    const broken = await call(`${simulator.url}/faults`, { method: 'PUT', body: '{' });
    expect(broken.status).toBe(400);
    expect((await call(`${simulator.url}/nowhere`)).status).toBe(404);
    expect((await call(`${simulator.url}/received`, { method: 'PATCH' })).status).toBe(404);
  });

  it('say that the process lives', async () => {
    expect((await control(simulator, 'GET', '/health/live')).json).toMatchObject({ status: 'ok' });
    expect((await control(simulator, 'GET', '/health/ready')).json).toMatchObject({ status: 'ok' });
  });
});

describe('the Swagger page', () => {
  let simulator: Simulator;
  beforeAll(async () => {
    simulator = await start();
  });
  afterAll(() => simulator.close());

  it('comes with all its files', async () => {
    const page = (await call(`${simulator.url}/docs`)).body.toString();
    const files = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path = '']) => path);
    expect(files).toHaveLength(3);
    for (const file of files) {
      const seen = await call(`${simulator.url}${file}`);
      expect(seen.status).toBe(200);
      expect(seen.body.length).toBeGreaterThan(300);
    }
  });

  it('shows a valid document that has every route in it', async () => {
    const { json } = await control(simulator, 'GET', '/docs-json');
    const operations = Object.entries((json as { paths: Record<string, object> }).paths).flatMap(
      ([path, methods]) => Object.keys(methods).map((method) => `${method} ${path}`),
    );
    expect(operations.sort()).toEqual([
      'delete /received',
      'get /faults',
      'get /health/live',
      'get /health/ready',
      'get /received',
      'get /received/duplicates',
      'get /received/messages',
      'get /received/messages/{id}',
      'get /received/timeline',
      'post /faults/reset',
      'post /v1/send/{msgId}',
      'put /faults',
    ]);
    await SwaggerParser.validate(structuredClone(json) as Document);
  });
});
