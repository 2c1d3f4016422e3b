import { cpus, type as systemName } from 'node:os';
import type { Proof } from './proofs.js';
import { isGreen, type Result } from './run-scenario.js';

export interface Proven {
  proof: Proof;
  result: Result;
  /** Empty: the suite went red for the right reason. */
  missing: string[];
}

/** The whole of `docs/faults.md`. */
export function report(
  results: readonly Result[],
  proven: readonly Proven[],
  seed: number,
): string {
  const messages = results.reduce((sum, result) => sum + result.messages, 0);
  const marked = results.reduce((sum, result) => sum + result.duplicates, 0);
  return [
    '# Faults',
    '',
    'Written by `npm run test:faults`. Real processes on loopback, a TCP proxy in front of PostgreSQL,',
    'Redis and the provider, signals to real process ids. After every scenario everything is repaired,',
    'left to come to rest and stopped, and a checker holds what the API acknowledged, what the',
    'provider received and what the database says against each other:',
    '',
    ...INVARIANTS.map((text, index) => `- **I${index + 1}** ${text}`),
    '',
    `${new Date().toISOString().slice(0, 10)}, seed ${seed}, ${cpus().length} × ${cpus()[0]?.model.trim() ?? '?'},`,
    `${systemName()}, Node ${process.versions.node}: ${results.length} runs, ${count(results, isGreen)} green,`,
    `${messages} messages, ${marked} of them taken twice by the provider, each marked as \`unknown\`.`,
    '',
    '`--only NAME`, `--backend redis|postgres`, `--seed S`, `--soak MINUTES`; the logs of what went',
    'red are under `.posthorn/faults`.',
    '',
    '## Scenarios',
    '',
    ...table(
      [
        'scenario',
        'what must hold',
        'backend',
        'messages',
        'duplicates marked',
        'time to resume',
        '',
      ],
      results.map((result) => [
        result.scenario,
        result.holds,
        result.backend,
        String(result.messages),
        String(result.duplicates),
        seconds(result.resumeMs),
        isGreen(result) ? '✓' : `✗ ${faultsOf(result)}`,
      ]),
    ),
    '',
    '## The checker is proven',
    '',
    'Each of these breaks the engine on purpose, from outside and in tests only, and has to turn the',
    'named invariant red.',
    '',
    ...table(
      ['sabotage', 'what is broken', 'scenario', 'invariant', ''],
      proven.map(({ proof, missing }) => [
        proof.name,
        proof.breaks,
        proof.scenario,
        proof.invariant,
        missing.length === 0 ? 'went red ✓' : `✗ ${missing.join('; ')}`,
      ]),
    ),
    '',
  ].join('\n');
}

/** One line per result, for people. */
export function line(result: Result): string {
  const { scenario, backend, messages, duplicates, resumeMs, tookMs } = result;
  return (
    `${isGreen(result) ? '✓' : '✗'} ${scenario} (${backend}): ${messages} messages, ` +
    `${duplicates} duplicates, resumed after ${seconds(resumeMs)}, took ${seconds(tookMs)}`
  );
}

const INVARIANTS = [
  'each client of the frozen audience has exactly one message, and all messages come to an end',
  '`sent` means that the provider answered a valid OK for that id',
  'a fully delivered OK means `sent` in the end',
  'more than one OK for an id only where an `unknown` attempt is recorded, where the message is marked as repeated, and never more than the fault explains',
  "no request after the mailing's end, nor outside of the client's local window",
  'what the API acknowledged survives',
  'counters = rows by status = total, in the end and at every look meanwhile',
  'messages in flight, memory and connections stay within their bounds',
  'no token and no full phone number in any log',
  'sending resumes within the stated time after the fault has ended',
  'sum of activity = counters, and each finished mailing is in the totals once, in the end and at every look meanwhile',
];

function faultsOf({ violations, failures }: Result): string {
  return [...violations.map(({ invariant }) => invariant), ...failures].slice(0, 3).join('; ');
}

function seconds(ms: number | null): string {
  return ms === null ? '–' : `${(ms / 1000).toFixed(1)} s`;
}

function count<T>(items: readonly T[], holds: (item: T) => boolean): number {
  return items.filter(holds).length;
}

function table(head: string[], rows: string[][]): string[] {
  const cell = (text: string) => text.replaceAll('|', '\\|');
  const row = (cells: string[]) => `| ${cells.map(cell).join(' | ')} |`;
  return [row(head), row(head.map(() => '---')), ...rows.map(row)];
}
