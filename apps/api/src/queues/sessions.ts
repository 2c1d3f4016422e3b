import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

const LIFETIME_S = 8 * 60 * 60;

/** What a session stores of its key; the key itself is not stored. */
export interface Session {
  keyId: number;
  /** Of the key's stored hash: a session ends when its key is replaced. */
  fingerprint: string;
}

/**
 * Browser sessions without a store: the cookie carries key, end and a random number under a MAC. All
 * processes with the same secret know each other's; a sign-out is remembered by this process only.
 */
export class Sessions {
  static readonly lifetimeS = LIFETIME_S;
  private readonly secret: Buffer;
  private readonly ended = new Map<string, number>();

  constructor(secret: string | undefined) {
    const base = secret ?? randomBytes(32);
    this.secret = createHmac('sha256', base).update('posthorn queue inspector').digest();
  }

  begin(session: Session, nowMs: number): string {
    const end = Math.floor(nowMs / 1000) + LIFETIME_S;
    const random = randomBytes(16).toString('base64url');
    const content = [session.keyId, session.fingerprint, end, random].join('.');
    return `${content}.${this.mac(content)}`;
  }

  /** Null when the cookie is not ours, has expired or was signed out here. */
  read(cookie: string, nowMs: number): Session | null {
    const at = cookie.lastIndexOf('.');
    const content = cookie.slice(0, at);
    const given = Buffer.from(cookie.slice(at + 1));
    const right = Buffer.from(this.mac(content));
    if (given.length !== right.length || !timingSafeEqual(given, right)) return null;
    const [keyId, fingerprint = '', end] = content.split('.');
    if (Number(end) * 1000 <= nowMs || this.ended.has(content)) return null;
    return { keyId: Number(keyId), fingerprint };
  }

  end(cookie: string, nowMs: number): void {
    if (!this.read(cookie, nowMs)) return;
    for (const [content, until] of this.ended) if (until <= nowMs) this.ended.delete(content);
    this.ended.set(cookie.slice(0, cookie.lastIndexOf('.')), nowMs + LIFETIME_S * 1000);
  }

  private mac(content: string): string {
    return createHmac('sha256', this.secret).update(content).digest('base64url');
  }
}
