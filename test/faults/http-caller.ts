import { ADMIN_TOKEN } from '@app/testkit';

export interface ApiAnswer<T = unknown> {
  status: number;
  body: T;
  tookMs: number;
}

const LIMIT_MS = 30_000;

/** One call of the API as a client makes it. Rejects only when there is no answer. */
export async function callApi<T>(
  url: string,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<ApiAnswer<T>> {
  const startedAt = performance.now();
  const response = await fetch(`${url}${path}`, {
    method,
    headers: {
      token: ADMIN_TOKEN,
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(LIMIT_MS),
  });
  const text = await response.text();
  return {
    status: response.status,
    body: (text === '' ? null : JSON.parse(text)) as T,
    tookMs: performance.now() - startedAt,
  };
}

/** The answer, in its 95th of 100 cases, ms. */
export function p95(answers: readonly { tookMs: number }[]): number {
  const sorted = answers.map(({ tookMs }) => tookMs).sort((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * 0.95) - 1] ?? 0;
}
