import { readFileSync } from 'node:fs';
import type { z } from 'zod';
import { messageOf } from '../errors/domain-error.js';
import { environment, type Environment, SECRETS, type Variable } from './environment.js';

export interface ConfigFault {
  variable: string;
  message: string;
}

/** The settings are missing or wrong. The message names every fault, not only the first. */
export class ConfigError extends Error {
  constructor(readonly faults: ConfigFault[]) {
    super(
      [
        'The settings are not usable:',
        ...faults.map((fault) => `  ${fault.variable}: ${fault.message}`),
        'Every variable is explained in .env.example.',
      ].join('\n'),
    );
    this.name = 'ConfigError';
  }
}

/**
 * Reads the named variables, checked and converted. An empty variable counts as not set, as
 * compose files pass it on that way. A secret may also be the first line of a file that `NAME_FILE`
 * names, which is how containers are given secrets.
 *
 * @param optional variables that others need and this process can do without; checked if they are set.
 * @throws ConfigError that names every missing or wrong variable.
 */
export function loadConfig<V extends Variable, O extends Variable = never>(
  variables: readonly V[],
  source: Record<string, string | undefined> = process.env,
  optional: readonly O[] = [],
): Pick<Environment, V> & Partial<Pick<Environment, O>> {
  const { set, faults } = valuesOf([...variables, ...optional], source);
  const wanted = [...variables, ...optional.filter((name) => set[name] !== undefined)];
  const mask = Object.fromEntries(wanted.map((name) => [name, true]));
  const schema = environment.pick(mask as Record<Variable, true>);
  const parsed = schema.safeParse(set);
  const unread = new Set(faults.map(({ variable }) => variable.replace(/_FILE$/, '')));
  const wrong = (parsed.error?.issues ?? [])
    .map((issue) => describe(issue, set))
    .filter(({ variable }) => !unread.has(variable));
  if (!parsed.success || faults.length > 0) throw new ConfigError([...faults, ...wrong]);
  return parsed.data;
}

/** What is set, a secret's file read in its place. */
function valuesOf(
  variables: readonly Variable[],
  source: Record<string, string | undefined>,
): { set: Record<string, string>; faults: ConfigFault[] } {
  const set: Record<string, string> = {};
  const faults: ConfigFault[] = [];
  for (const variable of variables) {
    const value = source[variable] ?? '';
    const file = SECRETS.has(variable) ? (source[`${variable}_FILE`] ?? '') : '';
    if (value !== '') set[variable] = value;
    if (file === '') continue;
    const fault = value === '' ? readSecret(variable, file, set) : `is set, and ${variable} too`;
    if (fault !== null) faults.push({ variable: `${variable}_FILE`, message: fault });
  }
  return { set, faults };
}

/** @returns what is wrong with the file, or null. */
function readSecret(variable: Variable, file: string, set: Record<string, string>): string | null {
  try {
    const [line = ''] = readFileSync(file, 'utf8').split(/\r?\n/, 1);
    if (line === '') return 'names a file whose first line is empty';
    set[variable] = line;
    return null;
  } catch (error) {
    return `names a file that cannot be read: ${messageOf(error)}`;
  }
}

/** Whether a variable has a value at all, right or wrong, or a file with one: an empty one has none. */
export function isSet(
  variable: Variable,
  source: Record<string, string | undefined> = process.env,
): boolean {
  return [variable, `${variable}_FILE`].some((name) => (source[name] ?? '') !== '');
}

function describe(issue: z.core.$ZodIssue, set: Record<string, unknown>): ConfigFault {
  const variable = issue.path.join('.');
  const missing = set[variable] === undefined;
  return { variable, message: missing ? 'is required and not set' : issue.message };
}
