import type { z } from 'zod';
import { environment, type Environment, type Variable } from './environment.js';

/** The settings are missing or wrong. The message names every fault, not only the first. */
export class ConfigError extends Error {
  constructor(readonly faults: { variable: string; message: string }[]) {
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
  if (!parsed.success) throw new ConfigError(parsed.error.issues.map(describe));
  return parsed.data;
}

function describe(issue: z.core.$ZodIssue): { variable: string; message: string } {
  const missing = issue.code === 'invalid_type' && issue.input === undefined;
  return {
    variable: issue.path.join('.'),
    message: missing ? 'is required and not set' : issue.message,
  };
}
