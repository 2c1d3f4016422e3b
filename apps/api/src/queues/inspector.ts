import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import cookie from '@fastify/cookie';
import { Inject, Injectable, Logger } from '@nestjs/common';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ApiKeyLookup, type Caller } from '@app/identity';
import { DomainError, messageOf } from '@app/platform';
import { API_CONFIG, type ApiConfig } from '../config.js';
import { authenticate, keyOf } from '../http/auth/authenticate.js';
import { problem, problemOf, sendProblem } from '../http/problems/problem.js';
import { InspectorQueues, type QueueBoard } from './inspector-queues.js';
import { Sessions } from './sessions.js';
import { SignIn } from './sign-in.js';

const BASE = '/queues';
/** The board's own handlers wait for the queue without a limit. */
const HANDLER_LIMIT_MS = 10_000;
/** The page names fonts of a foreign host; without them it looks the same and nobody is told. */
const BOARD_POLICY =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; worker-src 'self' blob:";

/**
 * Bull Board at `/queues`, for keys with the role admin: programs send the key in a header, browsers
 * sign in with it once. One `onRequest` hook guards the page, its files and the API under it.
 */
@Injectable()
export class Inspector {
  private readonly logger = new Logger('Inspector');
  private readonly adapter = new FastifyAdapter();
  private readonly signIn: SignIn;

  constructor(
    private readonly keys: ApiKeyLookup,
    private readonly queues: InspectorQueues,
    @Inject(API_CONFIG) config: ApiConfig,
  ) {
    const sessions = new Sessions(config.ENCRYPTION_KEY ?? config.ADMIN_TOKEN);
    this.signIn = new SignIn(BASE, keys, sessions);
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
    const shown: QueueBoard = {
      add: (queue) => {
        board.addQueue(new BullMQAdapter(queue, { readOnlyMode: true }));
      },
      remove: (queue) => {
        board.removeQueue(queue.name);
      },
    };
    void server.register(async (scope) => {
      await scope.register(cookie);
      await scope.register((open: FastifyInstance) => {
        this.signIn.addRoutes(open);
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
          return this.show(reply, shown);
        });
        guarded.addHook('onSend', async (_request, reply) => {
          reply.header('content-security-policy', BOARD_POLICY);
        });
        await guarded.register(this.adapter.registerPlugin(), { prefix: BASE });
      });
    });
  }

  /** True when the caller may pass; otherwise the answer is already on its way. */
  private async admit(request: FastifyRequest, reply: FastifyReply): Promise<boolean> {
    try {
      const caller = await this.callerOf(request);
      if (caller?.role === 'admin') return true;
      const wantsPage = request.method === 'GET' && request.headers.accept?.includes('text/html');
      if (caller) sendProblem(reply, problem(403, 'The queue inspector needs the role admin'));
      else if (wantsPage) await reply.redirect(this.signIn.page, 303);
      else sendProblem(reply, problem(401, 'The queue inspector needs an API key or a session'));
    } catch (error) {
      sendProblem(reply, problemOf(error));
    }
    return false;
  }

  private callerOf(request: FastifyRequest): Promise<Caller | null> {
    return keyOf(request.headers) === undefined
      ? this.signIn.callerOf(request)
      : authenticate(this.keys, request);
  }

  private async show(reply: FastifyReply, board: QueueBoard): Promise<FastifyReply | undefined> {
    try {
      await this.queues.show(board);
      return undefined;
    } catch (error) {
      this.logger.warn(`the queue cannot be inspected: ${messageOf(error)}`);
      const away = new DomainError('unavailable', 'The queue cannot be reached at the moment');
      sendProblem(reply, problemOf(away));
      return reply;
    }
  }
}
