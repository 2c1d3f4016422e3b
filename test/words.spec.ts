import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Figures of speech and odd words, and what to write instead. They are looked for in prose and in
 * identifiers alike: `isGone`, `IS_GONE` and "is gone" are the same words.
 */
const FORBIDDEN: Record<string, string> = {
  'house|houses': 'the project, the stack, the installation',
  'desk|desks': 'the object that does it',
  'judge|judges|judged|judging': 'check, classify, compute, update',
  'opinion|opinions': 'the result, the state',
  'patient|patience|patiently': 'low priority, a long limit, waits',
  'let go|lets go|letting go': 'release, end, allow',
  'once more': 'again',
  'why not': 'the reason',
  'report way|report ways': 'transport',
  '(?:is|are|be|been|has|have|had|was|were) gone': 'exits, was deleted, does not exist',
  whoever: 'who, a caller that, anybody who',
  alike: 'both, the same',
  anew: 'again',
  deaf: 'does not receive',
  'the very': 'the same, this',
  '\\w*manieth': 'the number, from 1',
  'stranger|strangers': 'anybody, a caller without a key, others',
  '(?:is|are|was|s)(?: \\w+){1,4} to say': 'X decides, X says, no content',
  'fate|fates': 'the outcome',
  'nobody may': 'must not, is not allowed',
  '(?:speak|speaks|spoke) (?:against|about|for)': 'count against, is about',
  'mend|mends|mended|mending': 'repair, correct',
  'loudly|in vain|by hope': 'as an error, without a result, without a proof',
  'outlive|outlives|outlived|outlasts': 'ends after, is longer than',
  'goodbye|starved|starving|ghost|ghosts': 'close, limited, unknown',
  'taken for dead|without a word': 'counts as lost, without an error',
  news: 'an outcome, a change',
  honest: 'original, normal',
  'twin|twins': 'copy, version, counterpart',
  'foreigner|foreigners': 'others',
  'moot|thereof|hereby|whereby|therein|wherein|hence|nought|lest|anon': 'a plain sentence',
};

const FOLDERS = ['libs', 'apps', 'bench', 'demo', 'test', 'scripts', 'docs'];
const FILES = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'docs/openapi.json'];
const READ = /\.(?:ts|mjs|cjs|md)$/;
const NOT_OURS = /(?:^|\/)(?:node_modules|dist|coverage)\//;
/** This file lists the words. */
const OWN = 'test/words.spec.ts';

interface Finding {
  line: number;
  word: string;
  instead: string;
}

const RULES = Object.entries(FORBIDDEN).map(([words, instead]) => ({
  pattern: new RegExp(`(?<![a-z])(?:${wordsOf(words).replaceAll(' ', '\\s+')})(?![a-z])`, 'g'),
  instead,
}));

/** Identifiers become words, in lower case; the marks of comments that continue are left out. */
function wordsOf(text: string): string {
  return text
    .replaceAll(/(\p{Ll}|\d)(\p{Lu})/gu, '$1 $2')
    .replaceAll(/\n[ \t]*(?:\*|\/\/|--)?/g, '\n')
    .replaceAll(/[_’']/g, ' ')
    .toLowerCase();
}

function findingsIn(text: string): Finding[] {
  const words = wordsOf(text);
  return RULES.flatMap(({ pattern, instead }) =>
    [...words.matchAll(pattern)].map(({ 0: word, index }) => ({
      line: words.slice(0, index).split('\n').length,
      word: word.replaceAll(/\s+/g, ' '),
      instead,
    })),
  );
}

const wordsFoundIn = (text: string) => findingsIn(text).map(({ word }) => word);

function files(): string[] {
  const found = FOLDERS.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file)),
  );
  const sources = found.filter((file) => READ.test(file) && !NOT_OURS.test(file));
  return [...FILES, ...sources].filter((file) => file !== OWN);
}

describe('the words of code and documents', () => {
  it('are plain: none is on the list of forbidden words', () => {
    const checked = files();
    expect(checked.length).toBeGreaterThan(500);
    const found = checked.flatMap((file) =>
      findingsIn(readFileSync(file, 'utf8')).map(
        ({ line, word, instead }) => `${file}:${line}: "${word}": write ${instead}`,
      ),
    );
    expect(found).toEqual([]);
  });

  it.each([
    ['// The house keeps them.', 'house'],
    ['const desk = new SendDesk();', 'desk'],
    ['judgeTrouble(outcome);', 'judge'],
    ['/** Judged by its status. */', 'judged'],
    ['const opinion = 1;', 'opinion'],
    ['{ patient: true }', 'patient'],
    ['// waits with patience', 'patience'],
    ['letGo();', 'let go'],
    ['/** Lets go of the lock. */', 'lets go'],
    ['onceMoreIfATagGoes()', 'once more'],
    ['if (whyNot) return;', 'why not'],
    ['type ReportWay = string;', 'report way'],
    ["it('is gone')", 'is gone'],
    ['/**\n   * rows that are\n   * gone\n   */', 'are gone'],
    ['-- the mailing has\n-- gone', 'has gone'],
    ['const IS_GONE = true;', 'is gone'],
    ['// whoever asks', 'whoever'],
    ['// both alike', 'alike'],
    ['// begins anew', 'anew'],
    ['// a deaf session', 'deaf'],
    ['// at the very moment', 'the very'],
    ['/** the how-manieth attempt */', 'manieth'],
    ['// open to strangers', 'strangers'],
    ["// that is another rule's to say", 'is another rule s to say'],
    ['// there is nothing to say', 'is nothing to say'],
    ['// the fate of a message', 'fate'],
    ['// nobody may change it', 'nobody may'],
    ['// it speaks against the mailing', 'speaks against'],
    ['// somebody mends it', 'mends'],
    ['// says so loudly', 'loudly'],
    ['// asks in vain', 'in vain'],
    ['// it outlives its lease', 'outlives'],
    ['const GOODBYE_MS = 1;', 'goodbye'],
    ['// the connection is taken for dead', 'taken for dead'],
    ['// old news', 'news'],
    ['const honest = 1;', 'honest'],
    ['plainTwin(html)', 'twin'],
    ['// Hence the order.', 'hence'],
  ])('are found in %j: %s', (text, word) => {
    expect(wordsFoundIn(text)).toContain(word);
  });

  it('are not found inside of other words', () => {
    const plain = 'warehouse deskew outpatients prejudgement goneness fateful verystable';
    expect(wordsFoundIn(plain)).toEqual([]);
  });

  it('are found with their line', () => {
    expect(findingsIn('a\n/**\n * b is\n * gone\n */')).toMatchObject([{ line: 3 }]);
  });
});
