import type { z } from 'zod';
import { environment, type Environment, type Variable } from './environment.js';

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
 * compose files pass it on that way.
 *
 * @param optional variables that others need and this process can do without; checked if they are set.
 * @throws ConfigError that names every missing or wrong variable.
 */
export function loadConfig<V extends Variable, O extends Variable = never>(
  variables: readonly V[],
  source: Record<string, string | undefined> = process.env,
  optional: readonly O[] = [],
): Pick<Environment, V> & Partial<Pick<Environment, O>> {
  const set = Object.fromEntries(
    Object.entries(source).filter(([, value]) => value !== undefined && value !== ''),
  );
  const wanted = [...variables, ...optional.filter((name) => set[name] !== undefined)];
  const mask = Object.fromEntries(wanted.map((name) => [name, true]));
  const schema = environment.pick(mask as Record<Variable, true>);
  const parsed = schema.safeParse(set);
  if (!parsed.success) {
    throw new ConfigError(parsed.error.issues.map((issue) => describe(issue, set)));
  }
  return parsed.data;
}

/** Whether a variable has a value at all, right or wrong: an empty one has none. */
export function isSet(
  variable: Variable,
  source: Record<string, string | undefined> = process.env,
): boolean {
  return (source[variable] ?? '') !== '';
}

function describe(issue: z.core.$ZodIssue, set: Record<string, unknown>): ConfigFault {
  const variable = issue.path.join('.');
  const missing = set[variable] === undefined;
  return { variable, message: missing ? 'is required and not set' : issue.message };
}
