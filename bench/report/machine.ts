import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import type { Servers } from '../stack/servers.js';

/** Processes that are busy with something else make every figure worse: the report names them. */
export function loadBefore(): number {
  return loadavg()[0] ?? 0;
}

/** One line: on what the figures were taken. */
export async function describeMachine(servers: Servers, load: number): Promise<string> {
  const cores = availableParallelism();
  const model = cpus()[0]?.model.trim() ?? 'unknown processor';
  const gigabytes = Math.round(totalmem() / 2 ** 30);
  const versions = [
    `Node ${process.versions.node}`,
    `PostgreSQL ${await servers.postgresVersion()} (fsync on)`,
    ...(servers.hasRedis ? [`Redis ${redisVersion()} (append-only file)`] : []),
  ];
  return (
    `${new Date().toISOString().slice(0, 10)}, ${cores} cores of ${model}, ${gigabytes} GB, ` +
    `${versions.join(', ')}; load average before: ${load.toFixed(1)}`
  );
}

function redisVersion(): string {
  const text = execFileSync('redis-server', ['--version'], { encoding: 'utf8' });
  return /v=(\S+)/.exec(text)?.[1] ?? '';
}
