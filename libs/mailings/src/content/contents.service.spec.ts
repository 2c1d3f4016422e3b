import {
  addMailing,
  createTestDatabase,
  someActor,
  type TestDatabase,
  unheard,
} from '@app/testkit';
import { MailingService } from '../mailing/mailing.service.js';
import { ContentsService } from './contents.service.js';

describe('the versions of a mailing’s content', () => {
  let database: TestDatabase;
  let mailings: MailingService;
  let contents: ContentsService;
  beforeAll(async () => {
    database = await createTestDatabase();
    mailings = new MailingService(database, unheard);
    contents = new ContentsService(database);
  });
  afterAll(() => database.drop());

  it('are kept: each edit of the text adds one, other edits none', async () => {
    const id = await addMailing(database.dataSource, { status: 'running' });
    await mailings.edit(someActor, id, { text: 'second' });
    await mailings.edit(someActor, id, { ratePerSecond: 5 });
    await mailings.edit(someActor, id, { text: 'third' });
    const all = await Promise.all([1, 2, 3].map((version) => contents.get(id, version)));
    expect(all).toMatchObject([
      { version: 1, content: { text: 'text' } },
      { version: 2, content: { text: 'second' } },
      { version: 3, content: { text: 'third' } },
    ]);
    expect(all.every(({ createdAt }) => createdAt instanceof Date)).toBe(true);
  });

  it('come one after the other from edits at the same time, and none of them gets lost', async () => {
    const id = await addMailing(database.dataSource, { status: 'running' });
    const texts = Array.from({ length: 8 }, (_, index) => `text ${index}`);
    await Promise.all(texts.map((text) => mailings.edit(someActor, id, { text })));
    const all = await Promise.all(texts.map((_, index) => contents.get(id, index + 2)));
    expect(new Set(all.map(({ content }) => content.text))).toEqual(new Set(texts));
    expect(await mailings.get(id)).toMatchObject({ textVersion: 9, text: all[7]?.content.text });
  });

  it.each([0, 2, 9_007_199_254_740_991])(
    'have no number %i while there is one',
    async (version) => {
      const id = await addMailing(database.dataSource);
      await expect(contents.get(id, version)).rejects.toMatchObject({ code: 'not_found' });
    },
  );

  it('go with their mailing', async () => {
    const id = await addMailing(database.dataSource);
    await mailings.delete(someActor, id);
    await expect(contents.get(id, 1)).rejects.toMatchObject({ code: 'not_found' });
  });
});
