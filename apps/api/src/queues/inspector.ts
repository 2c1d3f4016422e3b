import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import cookie from '@fastify/cookie';
import { Inject, Injectable, Logger } from '@nestjs/common';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { DomainError, messageOf } from '@app/platform';
import { ApiKeyLookup, type Caller, fingerprintOf, hashOfKey, isKey } from '@app/identity';
import { authenticate, keyOf } from '../http/auth/authenticate.js';
import { API_CONFIG, type ApiConfig } from '../config.js';
import { problem, problemOf, sendProblem } from '../http/problems/problem.js';
import { decodeUtf8 } from '../http/body/json-body.js';
import { InspectorQueues } from './inspector-queues.js';
import { LOGIN_POLICY, loginPage } from './login-page.js';
import { Sessions } from './sessions.js';

const BASE = '/queues';
const COOKIE = 'posthorn_queues';
/** The board's own handlers wait for the queue without a limit. */
const HANDLER_LIMIT_MS = 10_000;
/** The page names fonts of a foreign host; without them it looks the same and nobody is told. */
const BOARD_POLICY =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; worker-src 'self' blob:";
const FORM_LIMIT = 4_096;

/**
 * Bull Board at `/queues`, for keys with the role admin: programs send the key in a header, browsers
 * sign in with it once. One `onRequest` hook guards the page, its files and the API under it alike.
 */
@Injectable()
export class Inspector {
  private readonly logger = new Logger('Inspector');
  private readonly adapter = new FastifyAdapter();
  private readonly sessions: Sessions;

  constructor(
    private readonly keys: ApiKeyLookup,
    private readonly queues: InspectorQueues,
    @Inject(API_CONFIG) config: ApiConfig,
  ) {
    this.sessions = new Sessions(config.ENCRYPTION_KEY ?? config.ADMIN_TOKEN);
  }

  register(server: FastifyInstance): void {
    const board = createBullBoard({
      queues: [],
      serverAdapter: this.adapter.setBasePath(BASE),
      options: {
        uiConfig: {
          boardTitle: 'Posthorn queues',
          miscLinks: [{ text: 'Sign out', url: `${BASE}/logout` }],
        },
      },
    });
    void server.register(async (scope) => {
      await scope.register(cookie);
      await scope.register((forms: FastifyInstance) => {
        this.addForms(forms);
        return Promise.resolve();
      });
      await scope.register(async (guarded) => {
        guarded.addHook('onRoute', (route) => {
          route.handlerTimeout = HANDLER_LIMIT_MS;
        });
        guarded.addHook('onRequest', async (request, reply) => {
          if (!(await this.admit(request, reply))) return reply;
          const isFile = request.routeOptions.url?.startsWith(`${BASE}/static`) ?? false;
          if (isFile) return undefined;
          return this.whenReachable(reply, (queue) => {
            board.addQueue(new BullMQAdapter(queue, { readOnlyMode: true }));
          });
        });
        guarded.addHook('onSend', async (_request, reply) => {
          reply.header('content-security-policy', BOARD_POLICY);
        });
        await guarded.register(this.adapter.registerPlugin(), { prefix: BASE });
      });
    });
  }

  private addForms(scope: FastifyInstance): void {
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
    scope.get(`${BASE}/login`, (_request, reply) => page(reply, 200));
    scope.post(`${BASE}/login`, (request, reply) => this.signIn(request, reply));
    scope.get(`${BASE}/logout`, (request, reply) => {
      this.sessions.end(request.cookies[COOKIE] ?? '', Date.now());
      return reply
        .clearCookie(COOKIE, { path: BASE, httpOnly: true, sameSite: 'strict' })
        .redirect(`${BASE}/login`, 303);
    });
  }

  private async signIn(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { key } = (request.body ?? {}) as { key?: unknown };
    const caller = isKey(key) ? await this.keys.callerOf(key) : null;
    if (!isKey(key) || !caller) return page(reply, 401, 'This key is unknown, expired or revoked.');
    if (caller.role !== 'admin') return page(reply, 403, 'This key does not have the role admin.');
    const session = { keyId: caller.id, fingerprint: fingerprintOf(hashOfKey(key)) };
    return reply
      .setCookie(COOKIE, this.sessions.begin(session, Date.now()), {
        path: BASE,
        httpOnly: true,
        sameSite: 'strict',
        secure: request.protocol === 'https',
        maxAge: Sessions.lifetimeS,
      })
      .redirect(BASE, 303);
  }

  /** True when the caller may pass; otherwise the answer is already on its way. */
  private async admit(request: FastifyRequest, reply: FastifyReply): Promise<boolean> {
    try {
      const caller = await this.callerOf(request);
      if (caller?.role === 'admin') return true;
      const wantsPage = request.method === 'GET' && request.headers.accept?.includes('text/html');
      if (caller) sendProblem(reply, problem(403, 'The queue inspector needs the role admin'));
      else if (wantsPage) await reply.redirect(`${BASE}/login`, 303);
      else sendProblem(reply, problem(401, 'The queue inspector needs an API key or a session'));
    } catch (error) {
      sendProblem(reply, problemOf(error));
    }
    return false;
  }

  private async callerOf(request: FastifyRequest): Promise<Caller | null> {
    if (keyOf(request.headers) !== undefined) return authenticate(this.keys, request);
    const session = this.sessions.read(request.cookies[COOKIE] ?? '', Date.now());
    return session && this.keys.callerOfSession(session.keyId, session.fingerprint);
  }

  private async whenReachable(
    reply: FastifyReply,
    opened: Parameters<InspectorQueues['ready']>[0],
  ): Promise<FastifyReply | undefined> {
    try {
      await this.queues.ready(opened);
      return undefined;
    } catch (error) {
      this.logger.warn(`the queue cannot be inspected: ${messageOf(error)}`);
      const away = new DomainError('unavailable', 'The queue cannot be reached at the moment');
      sendProblem(reply, problemOf(away));
      return reply;
    }
  }
}

function page(reply: FastifyReply, status: number, refusal?: string): FastifyReply {
  return reply
    .code(status)
    .type('text/html; charset=utf-8')
    .header('content-security-policy', LOGIN_POLICY)
    .header('cache-control', 'no-store')
    .send(loginPage(refusal));
}
