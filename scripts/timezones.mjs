/**
 * Writes libs/platform/src/canonical/timezone-names.ts from the IANA database as Debian's package
 * `tzdata` ships it: `node scripts/timezones.mjs [folder]`, by default /usr/share/zoneinfo.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const folder = process.argv[2] ?? '/usr/share/zoneinfo';
const target = 'libs/platform/src/canonical/timezone-names.ts';

/**
 * Old names whose link in the database leads to another country that has kept the same time, and the
 * newer name of the same place, as the comments in the database's own file `backward` give it.
 */
const SAME_PLACE = {
  'Africa/Asmera': 'Africa/Asmara',
  'Africa/Timbuktu': 'Africa/Bamako',
  'America/Coral_Harbour': 'America/Atikokan',
  'America/Virgin': 'America/St_Thomas',
  'Antarctica/South_Pole': 'Antarctica/McMurdo',
  'Atlantic/Jan_Mayen': 'Arctic/Longyearbyen',
  Iceland: 'Atlantic/Reykjavik',
  'Pacific/Ponape': 'Pacific/Pohnpei',
  'Pacific/Truk': 'Pacific/Chuuk',
  'Pacific/Yap': 'Pacific/Chuuk',
};
/** For "no timezone was set". */
const NO_PLACE = 'Factory';

const lines = (file) => readFileSync(`${folder}/${file}`, 'utf8').split('\n');
const database = lines('tzdata.zi');
const release = /^# version (\S+)/.exec(database[0])[1];
const zones = new Set();
const links = new Map();
for (const line of database) {
  const [kind, first, second] = line.split(' ');
  if (kind === 'Z' && first !== NO_PLACE) zones.add(first);
  if (kind === 'L') links.set(second, first);
}
// The zone of a country keeps its name, also where the database links it to a neighbour's.
for (const line of lines('zone.tab')) {
  const name = line.startsWith('#') ? undefined : line.split('\t')[2];
  if (name !== undefined && links.delete(name)) zones.add(name);
}
const targetOf = (name) => (links.has(name) ? targetOf(links.get(name)) : name);
const pairs = [...links.keys()].sort().map((name) => {
  const canonical = SAME_PLACE[name] ?? targetOf(name);
  if (!zones.has(canonical)) throw new Error(`${name} leads to ${canonical}, which is no zone`);
  return `${name} ${canonical}`;
});

writeFileSync(
  target,
  `// Written by scripts/timezones.mjs from tzdata.zi and zone.tab of Debian's package tzdata.

/** The release of the IANA database that the names below are of. */
export const TIMEZONE_RELEASE = '${release}';

/** Names that stand for themselves. */
export const TIMEZONES = \`
${filled([...zones].sort(), ' ')}
\`;

/** Other names, each with the name that stands for it. */
export const TIMEZONE_LINKS = \`
${filled(pairs, ', ')}
\`;
`,
);

/** Lines of at most 100 characters. */
function filled(words, separator) {
  const out = [''];
  for (const word of words) {
    const longer = out.at(-1) === '' ? word : `${out.at(-1)}${separator}${word}`;
    if (longer.length < 100) out[out.length - 1] = longer;
    else {
      out[out.length - 1] += separator.trimEnd();
      out.push(word);
    }
  }
  return out.join('\n');
}
