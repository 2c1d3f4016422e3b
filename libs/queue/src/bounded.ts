const LIMIT_MS = 5_000;

/** Nobody knows whether the queue did what it was asked. */
export class NoAnswer extends Error {}

/** The client library waits for ever in several states; we do not. @throws NoAnswer after the limit. */
export async function bounded<T>(work: Promise<T>, limitMs = LIMIT_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new NoAnswer(`The queue did not answer within ${limitMs} ms`));
    }, limitMs);
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
    work.catch(() => undefined);
  }
}
