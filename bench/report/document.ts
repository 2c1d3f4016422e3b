import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { PartName } from '../options.js';

const FILE = 'docs/performance.md';

const PREFACE = `# Performance

Written by \`npm run bench\`; every figure is one that a run gave, each chapter says when and on what.
Ratios count more than absolute figures: all processes share the cores with the database, the queue and
the provider's stand-in, which answers at once unless a chapter says otherwise, and the machine's own
speed drifts. What is compared is therefore run in turn, in the same run, on the same stand-in. The load
average tells how busy the machine was with other things when the run began.
`;

export interface Chapter {
  name: PartName;
  heading: string;
  text: string;
  machine: string;
}

/** Replaces the chapter and leaves the others as they are. */
export function writeChapter(order: readonly PartName[], chapter: Chapter): void {
  const known = existsSync(FILE) ? readFileSync(FILE, 'utf8') : '';
  const chapters = order.flatMap((name) =>
    name === chapter.name ? [render(chapter)] : (cut(known, name) ?? []),
  );
  writeFileSync(FILE, [PREFACE, ...chapters].join('\n'));
}

function render({ name, heading, text, machine }: Chapter): string {
  return `${begin(name)}

## ${heading}

${text}

_${machine}._

${end(name)}
`;
}

function cut(document: string, name: PartName): string | undefined {
  const from = document.indexOf(begin(name));
  const to = document.indexOf(end(name));
  return from < 0 || to < from ? undefined : `${document.slice(from, to)}${end(name)}\n`;
}

const begin = (name: PartName) => `<!-- begin ${name} -->`;
const end = (name: PartName) => `<!-- end ${name} -->`;
