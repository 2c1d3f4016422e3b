import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type ApiKeyLookup, type Caller, fingerprintOf, hashOfKey, isKey } from '@app/identity';
import { decodeUtf8 } from '../http/body/json-body.js';
import { LOGIN_POLICY, loginPage } from './login-page.js';
import { Sessions } from './sessions.js';

const COOKIE = 'posthorn_queues';
const FORM_LIMIT = 4_096;

/** Browsers sign in to the inspector with a key once, and come back with a session. */
export class SignIn {
  private readonly cookie: { path: string; httpOnly: boolean; sameSite: 'strict' };

  /** @param base the path of the inspector, `/queues`. */
  constructor(
    private readonly base: string,
    private readonly keys: ApiKeyLookup,
    private readonly sessions: Sessions,
  ) {
    this.cookie = { path: base, httpOnly: true, sameSite: 'strict' };
  }

  /** Adds `/login` and `/logout`. `scope` has the cookies, and is guarded by nothing. */
  addRoutes(scope: FastifyInstance): void {
    scope.addContentTypeParser<Buffer>(
      'application/x-www-form-urlencoded',
      { parseAs: 'buffer', bodyLimit: FORM_LIMIT },
      (_request, body, done) => {
        try {
          done(null, Object.fromEntries(new URLSearchParams(decodeUtf8(body))));
        } catch (error) {
          done(error as Error);
        }
      },
    );
    scope.get(this.page, (_request, reply) => sendForm(reply, 200));
    scope.post(this.page, (request, reply) => this.signIn(request, reply));
    scope.get(`${this.base}/logout`, (request, reply) => {
      this.sessions.end(request.cookies[COOKIE] ?? '', Date.now());
      return reply.clearCookie(COOKIE, this.cookie).redirect(this.page, 303);
    });
  }

  /** The path of the form. */
  get page(): string {
    return `${this.base}/login`;
  }

  /** Whose session the request carries; null without one, or when its key no longer works. */
  async callerOf(request: FastifyRequest): Promise<Caller | null> {
    const session = this.sessions.read(request.cookies[COOKIE] ?? '', Date.now());
    return session && this.keys.callerOfSession(session.keyId, session.fingerprint);
  }

  private async signIn(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { key } = (request.body ?? {}) as { key?: unknown };
    const caller = isKey(key) ? await this.keys.callerOf(key) : null;
    if (!isKey(key) || !caller) {
      return sendForm(reply, 401, 'This key is unknown, expired or revoked.');
    }
    if (caller.role !== 'admin') {
      return sendForm(reply, 403, 'This key does not have the role admin.');
    }
    const session = { keyId: caller.id, fingerprint: fingerprintOf(hashOfKey(key)) };
    return reply
      .setCookie(COOKIE, this.sessions.begin(session, Date.now()), {
        ...this.cookie,
        secure: request.protocol === 'https',
        maxAge: Sessions.lifetimeS,
      })
      .redirect(this.base, 303);
  }
}

function sendForm(reply: FastifyReply, status: number, refusal?: string): FastifyReply {
  return reply
    .code(status)
    .type('text/html; charset=utf-8')
    .header('content-security-policy', LOGIN_POLICY)
    .header('cache-control', 'no-store')
    .send(loginPage(refusal));
}
