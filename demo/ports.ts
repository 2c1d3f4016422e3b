import { createServer } from 'node:net';

export interface Ports {
  api: number;
  worker: number;
  beat: number;
  simulator: number;
  postgres: number;
  smtp: number;
  mail: number;
}

const WANTED: Ports = {
  api: 8000,
  worker: 8001,
  beat: 8002,
  simulator: 8090,
  postgres: 54329,
  smtp: 1025,
  mail: 8025,
};

/** The usual ports, and free ones in the place of those that somebody else uses. */
export async function choosePorts(): Promise<{ ports: Ports; moved: string[] }> {
  const ports = { ...WANTED };
  const moved: string[] = [];
  for (const name of Object.keys(WANTED) as (keyof Ports)[]) {
    if (await isFree(WANTED[name])) continue;
    ports[name] = await listen(0, '0.0.0.0');
    moved.push(`port ${WANTED[name]} is in use: ${name} takes ${ports[name]}`);
  }
  return { ports, moved };
}

async function isFree(port: number): Promise<boolean> {
  try {
    await listen(port, '0.0.0.0');
    await listen(port, '127.0.0.1');
    return true;
  } catch {
    return false;
  }
}

/** Listens for a moment. @returns the port, which matters when it was 0. */
function listen(port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ port, host, exclusive: true }, () => {
      const address = server.address();
      server.close(() => {
        resolve(typeof address === 'object' && address !== null ? address.port : port);
      });
    });
  });
}
