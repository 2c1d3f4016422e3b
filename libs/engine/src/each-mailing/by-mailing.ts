import { isDatabaseAway } from '@app/database';
import { Isolated, type Logger, systemClock } from '@app/platform';

/**
 * Work on many mailings: the failure of one sets that one aside. A database that is away ends the run.
 *
 * @param task the label in metrics, logs and health
 */
export function byMailing<Item>(
  task: string,
  idOf: (item: Item) => number,
  logger: Logger,
): Isolated<Item> {
  return new Isolated<Item>({
    task,
    key: idOf,
    fields: (item) => ({ mailing: idOf(item) }),
    isShared: isDatabaseAway,
    clock: systemClock,
    logger,
  });
}
