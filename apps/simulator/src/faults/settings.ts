import { ConfigError, DomainError, type FieldError } from '@app/platform';
import { z } from 'zod';

const milliseconds = z.number().min(0).max(86_400_000);
/** It came as JSON, so it is JSON; a schema that said so would refer to itself. */
const anything = z.unknown();
const headerValue = z.string().regex(/^[\x20-\x7e]*$/, 'must be printable ASCII');

/** Which requests a rule hits; everything that is named must hold. */
const aim = {
  /** Share of the requests, 0 to 1, drawn from seed, rule, id and request number. */
  share: z.number().min(0).max(1).default(1),
  /** Stops after this many hits. */
  times: z.int().min(1).optional(),
  /** Only these message ids. */
  ids: z.array(z.int()).min(1).max(100_000).optional(),
  /** Only the first n requests of each id: "fail n times, then OK". */
  firstRequests: z.int().min(1).optional(),
};
/** The provider took the message although the answer does not confirm it. */
const accepted = z.boolean().default(false);

const retryAfter = z.union([
  z.number(),
  headerValue,
  z.strictObject({ dateInSeconds: z.number().min(-1e9).max(1e9) }),
]);

const rule = z.discriminatedUnion('fault', [
  z.strictObject({
    fault: z.literal('status'),
    status: z.int().min(200).max(599),
    /** A string is sent as it is, anything else as JSON. */
    body: anything.optional(),
    retryAfter: retryAfter.optional(),
    headers: z.record(z.string().regex(/^[\w-]+$/), headerValue).optional(),
    ...aim,
  }),
  z.strictObject({
    fault: z.literal('wrong-code'),
    code: anything.default(1).refine((code) => code !== 0, 'must not be 0, which is success'),
    ...aim,
  }),
  z.strictObject({ fault: z.literal('string-code'), ...aim }),
  z.strictObject({ fault: z.literal('array'), ...aim }),
  z.strictObject({ fault: z.literal('html'), ...aim }),
  z.strictObject({ fault: z.literal('empty'), ...aim }),
  z.strictObject({ fault: z.literal('truncated-json'), ...aim }),
  z.strictObject({ fault: z.literal('truncated-body'), accepted, ...aim }),
  z.strictObject({
    fault: z.literal('huge'),
    bytes: z.int().min(1_000).max(10_000_000_000).default(100_000_000),
    ...aim,
  }),
  z.strictObject({
    fault: z.literal('gzip-bomb'),
    bytes: z.int().min(1_000).max(10_000_000_000).default(1_000_000_000),
    ...aim,
  }),
  z.strictObject({
    fault: z.literal('drip'),
    intervalMs: milliseconds.min(1).default(1_000),
    part: z.enum(['head', 'body']).default('body'),
    ...aim,
  }),
  z.strictObject({ fault: z.literal('delay'), ms: milliseconds, ...aim }),
  z.strictObject({
    fault: z.literal('continue'),
    /** How many answers of status 100 come before the OK. */
    count: z.int().min(1).max(1_000).default(1),
    ...aim,
  }),
  z.strictObject({ fault: z.literal('hang'), accepted, ...aim }),
  z.strictObject({ fault: z.literal('reset-before-body'), ...aim }),
  z.strictObject({ fault: z.literal('reset-after-body'), accepted, ...aim }),
]);

const latency = z.discriminatedUnion('distribution', [
  z.strictObject({ distribution: z.literal('fixed'), ms: milliseconds }),
  z
    .strictObject({
      distribution: z.literal('uniform'),
      minMs: milliseconds,
      maxMs: milliseconds,
    })
    .refine((value) => value.maxMs >= value.minMs, {
      path: ['maxMs'],
      message: 'must not be less than minMs',
    }),
  z.strictObject({
    distribution: z.literal('normal'),
    meanMs: milliseconds,
    deviationMs: milliseconds,
  }),
  z.strictObject({
    distribution: z.literal('lognormal'),
    medianMs: milliseconds,
    sigma: z.number().min(0).max(5),
  }),
]);

/** The whole document behind `GET /faults`, `PUT /faults` and `SIMULATOR_FAULTS`. */
export const faultSettings = z.strictObject({
  seed: z.int().min(0).max(0xffff_ffff).default(1),
  /** From the whole request read to the first byte of any answer. */
  latency: latency.default({ distribution: 'fixed', ms: 0 }),
  /** Nobody listens on the provider's port: for good, or for a while. */
  refuse: z.union([z.boolean(), z.strictObject({ forMs: milliseconds.min(1) })]).default(false),
  token: z
    .strictObject({
      /** Every token is refused. */
      expired: z.boolean().default(false),
      /** Every token is refused from so long after this setting on. */
      expiresAfterMs: milliseconds.optional(),
      /** The one token that counts, in the place of SIMULATOR_TOKEN. */
      accept: z.string().min(1).optional(),
    })
    .default({ expired: false }),
  /** The first rule that hits decides; without a hit the answer is OK. */
  rules: z.array(rule).max(100).default([]),
});

export type FaultSettings = z.infer<typeof faultSettings>;
export type FaultRule = FaultSettings['rules'][number];
export type Latency = FaultSettings['latency'];

/**
 * @param hasControlPort whether somebody could still open the provider's port after `refuse: true`.
 * @throws DomainError `unprocessable` that names every wrong field.
 */
export function parseFaults(document: unknown, hasControlPort: boolean): FaultSettings {
  const parsed = faultSettings.safeParse(document);
  const errors = parsed.success ? [] : parsed.error.issues.flatMap(fieldErrors);
  // Checked on the document as it came, so that other errors do not hide this one.
  const { refuse } = (document ?? {}) as { refuse?: unknown };
  if (refuse === true && !hasControlPort) {
    errors.push({
      path: 'refuse',
      message: 'needs SIMULATOR_CONTROL_PORT, or {"forMs": n}: no port would be left',
    });
  }
  if (parsed.success && errors.length === 0) return parsed.data;
  throw new DomainError('unprocessable', 'These fault settings are not usable.', errors);
}

/** The same from SIMULATOR_FAULTS. @throws ConfigError that names every wrong field. */
export function faultsFromEnvironment(
  json: string | undefined,
  hasControlPort: boolean,
): FaultSettings {
  const variable = 'SIMULATOR_FAULTS';
  let document: unknown;
  try {
    document = JSON.parse(json ?? '{}');
  } catch {
    throw new ConfigError([{ variable, message: 'must be a JSON document' }]);
  }
  try {
    return parseFaults(document, hasControlPort);
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    throw new ConfigError(
      error.errors.map(({ path, message }) => ({
        variable: path === '' ? variable : `${variable}: ${path}`,
        message,
      })),
    );
  }
}

function fieldErrors(issue: z.core.$ZodIssue): FieldError[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: pathText([...issue.path, key]),
      message: 'is not a known setting',
    }));
  }
  return [{ path: pathText(issue.path), message: issue.message }];
}

function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    return text === '' ? String(part) : `${text}.${String(part)}`;
  }, '');
}
