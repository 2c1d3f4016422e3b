import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { createLogger } from '@app/platform';
import { parseFaults, type faultSettings } from '../src/faults/settings.js';
import { startSimulator, type Simulator, type SimulatorOptions } from '../src/simulator.js';
import type { z } from 'zod';

export const TOKEN = 'simulator-test-token';
export type Settings = z.input<typeof faultSettings>;

/** What a client sees on the wire: an answer, or how the connection ended. */
export interface Seen {
  status?: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
  /** `ECONNRESET`, `ECONNREFUSED`, `aborted` for a body that ended early … */
  error?: string;
  ms: number;
}

export interface Call {
  method?: string;
  headers?: Record<string, string>;
  body?: string | Buffer;
  /** Closes the connection when this fires. */
  signal?: AbortSignal;
  /** Stops reading after so many bytes of the body, and closes the connection. */
  stopAfter?: number;
}

export function start(options: Partial<SimulatorOptions> = {}): Promise<Simulator> {
  return startSimulator({
    port: 0,
    host: '127.0.0.1',
    token: TOKEN,
    logger: createLogger('simulator', 'silent'),
    ...options,
  });
}

export function faults(settings: Settings) {
  return parseFaults(settings, true);
}

/** One request on a connection of its own. Never rejects: every end is a result. */
export function call(url: string, options: Call = {}): Promise<Seen> {
  const started = performance.now();
  const seen: Omit<Seen, 'ms'> = { headers: {}, body: Buffer.alloc(0) };
  return new Promise((resolve) => {
    const end = (error?: string) => {
      if (error !== undefined) seen.error ??= error;
      resolve({ ...seen, ms: performance.now() - started });
    };
    const { method = 'GET', headers = {}, body, signal, stopAfter } = options;
    const request = httpRequest(url, { method, headers, signal, agent: false }, (response) => {
      seen.status = response.statusCode ?? 0;
      seen.headers = response.headers;
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        size += chunk.length;
        if (stopAfter !== undefined && size >= stopAfter) response.destroy();
      });
      response.on('error', (error: NodeJS.ErrnoException) => (seen.error ??= error.code));
      response.on('close', () => {
        seen.body = Buffer.concat(chunks);
        end(response.complete ? undefined : 'aborted');
      });
    });
    request.on('error', (error: NodeJS.ErrnoException) => {
      end(error.code);
    });
    request.end(body);
  });
}

export function send(
  simulator: Simulator,
  id: number | string,
  { body, token = TOKEN, ...more }: Call & { token?: string } = {},
): Promise<Seen> {
  return call(`${simulator.url}/v1/send/${id}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: body ?? JSON.stringify({ id: Number(id), phone: 79_261_234_567, text: 'Hello' }),
    ...more,
  });
}

/** A control request; `json` is the parsed answer. */
export async function control(
  simulator: Simulator,
  method: string,
  path: string,
  body?: unknown,
): Promise<Seen & { json: unknown }> {
  const seen = await call(`${simulator.controlUrl}${path}`, {
    method,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = seen.body.toString();
  return { ...seen, json: text === '' ? undefined : (JSON.parse(text) as unknown) };
}

export async function putFaults(simulator: Simulator, settings: Settings): Promise<void> {
  const { status, json } = await control(simulator, 'PUT', '/faults', settings);
  if (status !== 200) throw new Error(`the faults were not taken: ${JSON.stringify(json)}`);
}

/** Asks until the answer fits; for what the simulator learns a moment after its client. */
export async function until<T>(ask: () => Promise<T>, fits: (value: T) => boolean): Promise<T> {
  const deadline = performance.now() + 5_000;
  for (;;) {
    const value = await ask();
    if (fits(value)) return value;
    if (performance.now() > deadline) throw new Error(`still ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
