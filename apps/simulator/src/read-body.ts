import type { IncomingMessage } from 'node:http';

/** `too-large` comes only after the whole body was received; `aborted`: it never ended. */
export type BodyResult = Buffer | 'too-large' | 'aborted';

/**
 * Reads a request to its end. A callback and no promise: every message passes here.
 *
 * @param limit bytes that are kept at most.
 */
export function readBody(
  request: IncomingMessage,
  limit: number,
  done: (body: BodyResult) => void,
): void {
  const chunks: Buffer[] = [];
  let size = 0;
  request.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= limit) chunks.push(chunk);
  });
  request.on('end', () => {
    const [only] = chunks;
    if (size > limit) done('too-large');
    else done(chunks.length === 1 && only ? only : Buffer.concat(chunks));
  });
  request.on('close', () => {
    if (!request.complete) done('aborted');
  });
}
