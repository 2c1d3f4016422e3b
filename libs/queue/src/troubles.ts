import { HealthFault, type Logger, messageOf } from '@app/platform';

const MOST_WORDS = 300;
/** Errors of one episode that are logged; further ones are of the same kind in other words. */
const MOST_LOGGED = 5;

interface Trouble {
  words: string;
  logged: Set<string>;
}

/**
 * What the queue's backend said when it last refused a lane: `WRONGPASS`, `NOPERM`, `DENIED`, a refused
 * connection. The client library reports it in events only, while the caller waits for an answer
 * that does not come. One for each process, for its health and its log.
 */
export class QueueTroubles {
  private readonly byLane = new Map<string, Trouble>();
  private listener: ((lane: string, words: string | null) => void) | undefined;

  /** @param listener is called for each change: the words, or null when the lane is served again. */
  listen(listener: ((lane: string, words: string | null) => void) | undefined): void {
    this.listener = listener;
    for (const [lane, { words }] of this.byLane) listener?.(lane, words);
  }

  /** Notes an error of the backend. It is logged once in an episode. */
  note(lane: string, error: unknown, logger: Logger): void {
    const words = messageOf(error).slice(0, MOST_WORDS);
    const trouble = this.byLane.get(lane);
    const logged = trouble?.logged ?? new Set();
    if (trouble?.words !== words) {
      this.byLane.set(lane, { words, logged });
      this.listener?.(lane, words);
    }
    if (logged.has(words) || logged.size >= MOST_LOGGED) return;
    logged.add(words);
    logger.warn({ lane, error: words }, 'the queue does not serve this lane');
  }

  /** The backend did what it was asked to. */
  clear(lane: string, logger: Logger): void {
    if (!this.byLane.delete(lane)) return;
    this.listener?.(lane, null);
    logger.info({ lane }, 'the queue serves this lane again');
  }

  of(lane: string): string | null {
    return this.byLane.get(lane)?.words ?? null;
  }

  /** For `ready`, which everybody may ask. @throws HealthFault with the words of a refusal. */
  check(): Promise<void> {
    const all = [...this.byLane].map(([lane, { words }]) => ({
      lane,
      code: codeOfTrouble(words),
      words: withoutSecrets(words),
    }));
    if (all.length === 0) return Promise.resolve();
    const words = all.map((trouble) => `${trouble.lane}: ${trouble.words}`).join('; ');
    return Promise.reject(
      new HealthFault(words, { code: 'queue_does_not_serve', data: { lanes: all } }),
    );
  }

  forgetAll(): void {
    this.byLane.clear();
  }
}

/** `refused`: the backend answers, and does not do what it is asked. `failed`: anything else. */
export const QUEUE_TROUBLES = ['refused', 'failed'] as const;
export type QueueTroubleCode = (typeof QUEUE_TROUBLES)[number];

/** A refusal of Redis begins with its code. */
export function codeOfTrouble(words: string): QueueTroubleCode {
  return /^[A-Z]{4,} /.test(words) ? 'refused' : 'failed';
}

/** Errors other than refusals name hosts and ports. */
function withoutSecrets(words: string): string {
  return codeOfTrouble(words) === 'refused' ? words : 'cannot be reached';
}

/** Those of this process. */
export const queueTroubles = new QueueTroubles();
