import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The message rows and their books. */
const TABLES = [
  'messages',
  'mailing_counters',
  'delivery_attempts',
  'mailing_activity',
  'mailing_totals',
];
const WRITES = new RegExp(
  `\\b(?:INSERT INTO|UPDATE|DELETE FROM|MERGE INTO|TRUNCATE|COPY)\\s+(?:ONLY\\s+)?"?(${TABLES.join('|')})\\b"?`,
  'gi',
);
/** The door: the statements, and what of them is a function or a trigger of the database. */
const MAY_WRITE = [
  'libs/messages/src/',
  'libs/database/src/repeatable/',
  'libs/database/src/books/',
  'libs/database/src/migrations/',
];

function sources(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((file) => join(folder, file))
    .filter((file) => /(?<!\.spec|\.world)\.ts$/.test(file))
    .filter((file) => !file.startsWith('libs/testkit/'));
}

const written = (text: string) => [...text.matchAll(WRITES)].map(([statement]) => statement);

describe('the rows of messages and their books', () => {
  it('are written by libs/messages and the functions of the database alone', () => {
    const others = ['libs', 'apps']
      .flatMap(sources)
      .filter((file) => !MAY_WRITE.some((folder) => file.startsWith(folder)))
      .flatMap((file) => written(readFileSync(file, 'utf8')).map((it) => `${file}: ${it}`));
    expect(others).toEqual([]);
  });

  it('are found wherever SQL writes to them', () => {
    expect(
      written('WITH x AS (DELETE FROM mailing_activity WHERE true)\nupdate only "messages" m SET'),
    ).toEqual(['DELETE FROM mailing_activity', 'update only "messages"']);
    expect(written('UPDATE messages_archive SET a = 1; SELECT FROM messages')).toEqual([]);
    const door = sources('libs/messages/src').flatMap((file) =>
      written(readFileSync(file, 'utf8')),
    );
    expect(new Set(door)).toContain('UPDATE messages');
  });

  /** Activity and totals follow from the counters by triggers; only a purge takes them away. */
  it('have their activity and totals from triggers, not from statements', () => {
    const byHand = sources('libs/messages/src').flatMap((file) =>
      written(readFileSync(file, 'utf8')).filter(
        (statement) => /activity|totals/.test(statement) && !statement.startsWith('DELETE'),
      ),
    );
    expect(byHand).toEqual([]);
  });

  /** The one arithmetic of counters is `bookMoves`. */
  it('are counted in one place', () => {
    const sums = /\b(\w+) = k\.\1 [-+]/;
    const found = ['libs', 'apps']
      .flatMap(sources)
      .filter((file) => sums.test(readFileSync(file, 'utf8')));
    expect(found).toEqual([]);
  });
});
