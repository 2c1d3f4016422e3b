import type { Logger } from './logging/logging.js';
import { messageOf } from './errors/domain-error.js';

/** Gives up work when a stop takes long; must not wait itself. */
type GiveUp = () => Promise<unknown>;

const registered = new Set<GiveUp>();

/**
 * Registers what ends the work that this process has begun elsewhere, above all statements that wait in
 * the database: they would continue without it. It is called when a stop has taken too long.
 *
 * @returns removes the registration.
 */
export function onSlowStop(giveUp: GiveUp): () => void {
  registered.add(giveUp);
  return () => registered.delete(giveUp);
}

/** Calls all that is registered; what fails is logged. */
export async function giveUpWork(logger: Logger): Promise<void> {
  await Promise.all(
    [...registered].map((giveUp) =>
      giveUp().catch((error: unknown) => {
        logger.warn({ error: messageOf(error) }, 'the work under way could not be ended');
      }),
    ),
  );
}
