const LIMIT_MS = 5_000;

/** No answer in time: the queue may have done what it was asked, or not. */
export class NoAnswer extends Error {}

/** Bounds a call of the client library, which waits for ever in several states. @throws NoAnswer after the limit. */
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
