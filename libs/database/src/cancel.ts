import { connect, type Socket } from 'node:net';
import type pg from 'pg';

/** The request's length, its code, the session and its secret: https://www.postgresql.org/docs/current/protocol-message-formats.html */
const REQUEST_BYTES = 16;
const CANCEL_CODE = 80_877_102;
const LIMIT_MS = 1_000;

interface Internals {
  host: string;
  port: number;
  processID: number | null;
  secretKey: number | null;
  connection: { stream: Socket };
}

/**
 * Asks the server to end what a session does. Without that a statement that waits for a lock goes on
 * after its process has exited, with all the locks that it holds. Does nothing to an idle session. Best
 * effort: it ends within a second, and never fails.
 */
export async function cancelStatement(client: pg.ClientBase): Promise<void> {
  const { host, port, processID, secretKey, connection } = client as unknown as Internals;
  if (processID === null || secretKey === null) return;
  const { remoteAddress, remotePort } = connection.stream;
  const request = Buffer.alloc(REQUEST_BYTES);
  request.writeInt32BE(REQUEST_BYTES, 0);
  request.writeInt32BE(CANCEL_CODE, 4);
  request.writeInt32BE(processID, 8);
  request.writeInt32BE(secretKey, 12);
  const socket =
    remoteAddress === undefined
      ? connect({ path: `${host}/.s.PGSQL.${port}` })
      : connect({ host: remoteAddress, port: remotePort ?? port });
  // The server answers by closing the connection.
  await new Promise<void>((resolve) => {
    socket.setTimeout(LIMIT_MS, () => socket.destroy());
    socket
      .on('error', () => undefined)
      .on('close', () => {
        resolve();
      });
    socket.on('connect', () => socket.end(request)).resume();
  });
}

/** The same for all sessions of a pool; there may be none yet. */
export async function cancelStatements(pool: pg.Pool | undefined): Promise<void> {
  const { _clients: clients } = (pool ?? { _clients: [] }) as unknown as {
    _clients: pg.PoolClient[];
  };
  await Promise.all(clients.map(cancelStatement));
}
