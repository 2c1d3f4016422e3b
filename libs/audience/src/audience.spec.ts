import type { AudienceFilter, Queryable } from '@app/database';
import { PreviewService } from '@app/mailings';
import { planChunk } from '@app/messages';
import {
  addClients,
  addMailing,
  createTestDatabase,
  openSlots,
  type TestDatabase,
} from '@app/testkit';
import fc from 'fast-check';
import { countAudience } from './audience.queries.js';
import { compileAudience } from './compile.js';

const PHONES = Array.from({ length: 30 }, (_, index) => `7999000${String(index).padStart(4, '0')}`);
const CODES = ['900', '901', '902'];
const TAGS = ['a', 'b', 'c', 'd'];
const ZONES = ['Europe/Moscow', 'Asia/Omsk'];

interface Client {
  phone: string;
  operatorCode: string;
  timezone: string;
  tags: string[];
}

const directories = fc.subarray(PHONES).chain((phones) =>
  fc.tuple(
    ...phones.map((phone) =>
      fc.record<Client>({
        phone: fc.constant(phone),
        operatorCode: fc.constantFrom(...CODES),
        timezone: fc.constantFrom(...ZONES),
        tags: fc.subarray(TAGS),
      }),
    ),
  ),
);
/** Most of them name a few values; some name one twice, and one that nobody has. */
const lists = (values: string[]) =>
  fc.oneof(fc.constant<string[]>([]), fc.array(fc.constantFrom(...values), { maxLength: 4 }));
const filters = fc.record<AudienceFilter>({
  operatorCodes: lists([...CODES, '777']),
  tags: lists([...TAGS, 'nobody']),
  phones: fc.oneof(lists([...PHONES, '79990009999']), fc.subarray(PHONES)),
});

/** What a filter means, without SQL. */
function matches(client: Client, { operatorCodes, tags, phones }: AudienceFilter): boolean {
  return (
    (operatorCodes.length === 0 || operatorCodes.includes(client.operatorCode)) &&
    (tags.length === 0 || client.tags.some((tag) => tags.includes(tag))) &&
    (phones.length === 0 || phones.includes(client.phone))
  );
}

describe('a compiled filter', () => {
  let database: TestDatabase;
  let db: Queryable;
  let previews: PreviewService;

  beforeAll(async () => {
    database = await createTestDatabase();
    db = database.pool;
    previews = new PreviewService(database);
  });
  afterAll(() => database.drop());

  /** Clients with a row, planned in small pieces. */
  async function plannedPhones(filter: AudienceFilter): Promise<string[]> {
    const id = await addMailing(database.dataSource, { filter });
    await openSlots(database.dataSource, id);
    const [{ last } = { last: 0 }] = await database.sql<{ last: number }>(
      'SELECT COALESCE(max(id), 0) AS last FROM clients',
    );
    const mailing = {
      id,
      status: 'running' as const,
      filter,
      planCursor: 0,
      planMaxClientId: last,
    };
    const limit = 4;
    for (let rows = limit; rows === limit;) {
      const chunk = await planChunk(db, mailing, { limit });
      rows = chunk.rows;
      mailing.planCursor = chunk.lastClientId ?? last;
    }
    const planned = await database.sql<{ phone: string }>(
      `SELECT c.phone FROM messages m JOIN clients c ON c.id = m.client_id
       WHERE m.mailing_id = $1 ORDER BY c.phone`,
      [id],
    );
    return planned.map(({ phone }) => phone);
  }

  it('is the same audience to planning, preview, counts and a plain reading of it', async () => {
    await fc.assert(
      fc.asyncProperty(
        directories,
        fc.array(filters, { minLength: 6, maxLength: 6 }),
        async (clients, some) => {
          await database.sql('TRUNCATE messages, mailings, clients, tags, client_tags CASCADE');
          await addClients(database.dataSource, clients);
          for (const filter of some) {
            const expected = clients.filter((client) => matches(client, filter));
            const phones = expected.map(({ phone }) => phone).sort();
            expect(await plannedPhones(filter)).toEqual(phones);
            const zones = Object.fromEntries(
              (await countAudience(db, filter)).map((zone) => [zone.timezone, zone.clients]),
            );
            for (const zone of ZONES) {
              const inZone = expected.filter(({ timezone }) => timezone === zone);
              expect(zones[zone] ?? 0).toBe(inZone.length);
            }
            const preview = await previews.preview({
              text: 'text',
              filter,
              startAt: null,
              endAt: new Date(Date.now() + 3_600_000),
              window: null,
            });
            expect(preview.audience).toBe(phones.length);
            if (preview.sample) expect(phones).toContain(preview.sample.phone);
            else expect(phones).toEqual([]);
          }
        },
      ),
      { numRuns: 30 },
    );
  }, 60_000);

  it('has a text that follows from the lists which say something, not from what they say', () => {
    const textOf = (filter: Partial<AudienceFilter>) => {
      const values: unknown[] = [];
      const compiled = compileAudience(
        { operatorCodes: [], tags: [], phones: [], ...filter },
        (value) => `$${values.push(value)}`,
      );
      return {
        ...compiled,
        candidates: compiled.candidates({ after: 'a', upTo: 'b', limit: 'l' }),
      };
    };
    expect(textOf({ tags: ['a'] })).toEqual(textOf({ tags: ["it's; --", 'b', 'c'] }));
    expect(textOf({})).toMatchObject({ condition: 'true' });
    const texts = [{}, { tags: ['a'] }, { phones: ['a'] }, { operatorCodes: ['a'] }].map(textOf);
    expect(new Set(texts.map(({ candidates }) => candidates)).size).toBe(4);
  });
});
