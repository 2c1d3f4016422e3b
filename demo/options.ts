import { parseArgs } from 'node:util';

export interface Options {
  /** Who gets the demo's message. */
  clients: number;
  /** Stop after the delivery instead of staying up. */
  exit: boolean;
  /** Forget what earlier demos left behind. */
  fresh: boolean;
  /** The database, the logs and the admin key live here. */
  folder: string;
}

const MOST_CLIENTS = 10_000_000;

const USAGE = `npm run demo -- [options]

  --clients N    how many clients get the message (default 10000)
  --exit         stop after the delivery instead of staying up until Ctrl-C
  --fresh        start with an empty database
  --folder PATH  where database, logs and key live (default .posthorn/demo)
  --help         this text
`;

/** The command line is wrong, or help was asked for; the message is for the user. */
export class UsageError extends Error {
  constructor(
    message: string,
    readonly status: number,
  ) {
    super(message);
  }
}

/** @throws UsageError */
export function parseOptions(words: string[]): Options {
  const { clients, exit, fresh, folder, help } = parse(words);
  if (help) throw new UsageError(USAGE, 0);
  const count = Number(clients.replaceAll(/[_,]/g, ''));
  if (!Number.isInteger(count) || count < 1 || count > MOST_CLIENTS) {
    throw new UsageError(`--clients takes a number from 1 to ${MOST_CLIENTS}\n\n${USAGE}`, 2);
  }
  return { clients: count, exit, fresh, folder };
}

function parse(words: string[]) {
  try {
    return parseArgs({
      args: words,
      options: {
        clients: { type: 'string', default: '10000' },
        exit: { type: 'boolean', default: false },
        fresh: { type: 'boolean', default: false },
        folder: { type: 'string', default: '.posthorn/demo' },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n\n${USAGE}`, 2);
  }
}
