import { Pool } from 'undici';
import { percentile, rounded, whole } from '../figures.js';
import type { Part } from '../part.js';
import { table } from '../report/table.js';
import type { Api } from '../stack/api.js';
import { addHistory, type History } from '../stack/history.js';
import { Installation } from '../stack/installation.js';
import type { Servers } from '../stack/servers.js';

const CLIENTS = 1_000_000;
const SIZE = { large: 7, small: 300_000, smallAudience: 10 };
const REQUESTS = 200;
const DEPTHS = [0, 0.25, 0.5, 0.75, 1];
/** As many as one page may have: on the way to the depth that is measured. */
const STRIDE = 500;

interface Measured {
  what: string;
  /** Milliseconds of each request. */
  times: number[];
  wantedP95: number;
  /** Its name in the line of JSON: of those with the same name the worst counts. */
  figure: string;
}

/** Do statistics and lists stay fast when the table has grown? */
export const reading: Part = {
  name: 'reading',
  heading: 'Reading from 10,000,000 messages',
  long: true,
  needsRedis: false,
  run: async ({ servers, say }) => {
    const { history, measured } = await measureReading(servers, say);
    const worst = (figure: string) =>
      Math.max(...measured.filter((one) => one.figure === figure).map(p95));
    return {
      figures: {
        reading: {
          messages: history.messages,
          p95Ms: Object.fromEntries(
            [...new Set(measured.map(({ figure }) => figure))].map((figure) => [
              figure,
              rounded(worst(figure)),
            ]),
          ),
        },
      },
      chapter: [
        `${whole(history.messages)} messages, made by SQL and vacuumed: ${SIZE.large} mailings to ${whole(CLIENTS)} clients each and
${whole(SIZE.small)} to ${SIZE.smallAudience} others each. ${REQUESTS} requests over HTTP for each line, one after the other, on one
connection, everything in memory; pages of 50. The depth is the share of the list that lies before the page.
The lists are those of one large mailing, each read from end to end before, to the right number of messages.`,
        table(
          ['request', 'median, ms', 'p95, ms', 'slowest, ms', 'p95 wanted'],
          measured.map((one) => [
            one.what,
            percentile(one.times, 50).toFixed(1),
            p95(one).toFixed(1),
            Math.max(...one.times).toFixed(1),
            `≤ ${one.wantedP95}`,
          ]),
        ),
      ].join('\n\n'),
    };
  },
};

const p95 = ({ times }: Measured) => percentile(times, 95);

async function measureReading(servers: Servers, say: (line: string) => void) {
  const database = await servers.createDatabase(CLIENTS);
  try {
    const history = await addHistory(database.url, SIZE);
    say(`  ${whole(history.messages)} messages are there`);
    const installation = await Installation.open({
      databaseUrl: database.url,
      queueUrl: database.url,
      providerUrl: servers.simulator.providerUrl,
      apiOnly: true,
    });
    const reader = new Reader(installation.api);
    try {
      return { history, measured: await readEverything(reader, history, say) };
    } finally {
      await reader.close();
      await installation.close();
    }
  } finally {
    await database.drop();
  }
}

async function readEverything(reader: Reader, history: History, say: (line: string) => void) {
  const measured: Measured[] = [];
  const measure = async (
    figure: string,
    what: string,
    wantedP95: number,
    path: (nth: number) => string,
  ) => {
    const one = { figure, what, wantedP95, times: await reader.times(path) };
    say(`  ${what}: p95 ${p95(one).toFixed(1)} ms`);
    measured.push(one);
  };
  const pick = (ids: number[], nth: number) => ids[(nth * 7) % ids.length] ?? 0;

  await measure('generalStatistics', 'general statistics', 20, () => '/mailings/statistics');
  await measure('detailedStatistics', 'statistics of a large mailing', 20, (nth) => {
    return `/mailings/${pick(history.large, nth)}/statistics`;
  });
  await measure('detailedStatistics', 'statistics of a small mailing', 20, (nth) => {
    return `/mailings/${pick(history.small, nth)}/statistics`;
  });
  const client = (nth: number) => 1 + ((nth * 7_919) % CLIENTS);
  await measure('clients', 'what a client got', 300, (nth) => `/clients/${client(nth)}/messages`);
  await measure('clients', 'what a client got in a large mailing, by phone', 300, (nth) => {
    const phone = `79${String(client(nth)).padStart(9, '0')}`;
    return `/mailings/${pick(history.large, nth)}/messages?phone=${phone}`;
  });
  await measure('names', 'mailings by a name that none has', 300, (nth) => {
    return `/mailings?name=nowhere${nth}`;
  });
  await measure('names', 'mailings by status, of which there is one', 300, () => {
    return '/mailings?status=paused';
  });
  const target = history.large.at(-1) ?? 0; // the paused one has every status
  const { total, counts } = await reader.api.statistics(target);
  for (const status of [null, 'sent', 'failed', 'pending'] as const) {
    const list = `/mailings/${target}/messages?${status ? `status=${status}` : ''}`;
    const { cursors, items } = await reader.walk(list);
    const expected = status ? counts[status] : total;
    if (items !== expected) throw new Error(`${list} listed ${items} of ${expected} messages`);
    for (const depth of DEPTHS) {
      const cursor = cursors[Math.floor(depth * (cursors.length - 1))];
      const place = depth === 1 ? 'at the end' : `depth ${depth * 100} %`;
      const what = `messages${status ? ` ${status}` : ''}, ${place}`;
      await measure(
        'lists',
        what,
        50,
        () => `${list}&limit=50${cursor ? `&cursor=${cursor}` : ''}`,
      );
    }
  }
  return measured;
}

/** One connection to the API, kept alive. */
class Reader {
  private readonly pool: Pool;

  constructor(readonly api: Api) {
    this.pool = new Pool(api.url, { connections: 1 });
  }

  /** ms of each request, from asking to the last byte. */
  async times(path: (nth: number) => string): Promise<number[]> {
    await this.get(path(0)); // the statement is prepared once per connection
    const times: number[] = [];
    for (let nth = 0; nth < REQUESTS; nth++) {
      const startedAt = performance.now();
      await this.get(path(nth));
      times.push(performance.now() - startedAt);
    }
    return times;
  }

  /** Reads a whole list. @returns how many items it has, and the cursor of each page. */
  async walk(list: string): Promise<{ cursors: (string | null)[]; items: number }> {
    const cursors: (string | null)[] = [];
    let next: string | null = null;
    let items = 0;
    do {
      cursors.push(next);
      const page = await this.get(
        `${list}&limit=${STRIDE}${next === null ? '' : `&cursor=${next}`}`,
      );
      const { items: found, nextCursor } = JSON.parse(page) as {
        items: object[];
        nextCursor: string | null;
      };
      items += found.length;
      next = nextCursor;
    } while (next !== null);
    return { cursors, items };
  }

  close(): Promise<void> {
    return this.pool.close();
  }

  private async get(path: string): Promise<string> {
    const headers = { token: this.api.key };
    const { statusCode, body } = await this.pool.request({ path, method: 'GET', headers });
    const text = await body.text();
    if (statusCode !== 200) throw new Error(`GET ${path} answered ${statusCode}: ${text}`);
    return text;
  }
}
