/** Results are kept, as one client sends one token a million times. */
const REMEMBERED = 100;

interface Checked {
  /** What is wrong in words; undefined when nothing is. */
  refusal: string | undefined;
  /** Milliseconds since 1970. */
  expiresAt: number;
}

/**
 * Looks at Authorization headers. With an expected token only that one passes; without one, any
 * syntactically valid JWT does. In both cases an `exp` in the past is refused.
 */
export class TokenCheck {
  private readonly results = new Map<string, Checked>();

  constructor(private readonly expected: string | undefined) {}

  /** @returns why the header is refused, or undefined when it passes. */
  refusal(header: string | undefined, expected = this.expected): string | undefined {
    const token = header && /^bearer +(\S+)$/i.exec(header)?.[1];
    if (!token) return 'a bearer token is required';
    if (expected !== undefined && token !== expected) return 'the token is not valid';
    const result = this.resultOf(token);
    if (expected === undefined && result.refusal) return result.refusal;
    return result.expiresAt <= Date.now() ? 'the token has expired' : undefined;
  }

  private resultOf(token: string): Checked {
    const known = this.results.get(token);
    if (known) return known;
    if (this.results.size >= REMEMBERED) this.results.clear();
    const result = check(token);
    this.results.set(token, result);
    return result;
  }
}

function check(token: string): Checked {
  const parts = token.split('.');
  const [head, claims] = parts.slice(0, 2).map(decode);
  if (parts.length !== 3 || !parts.every((part) => /^[\w-]+$/.test(part)) || !head || !claims) {
    return { refusal: 'the token is not a JWT', expiresAt: Infinity };
  }
  const { exp } = claims;
  return {
    refusal: undefined,
    expiresAt: typeof exp === 'number' ? exp * 1_000 : Infinity,
  };
}

function decode(part: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString());
    return typeof value === 'object' && value !== null
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
