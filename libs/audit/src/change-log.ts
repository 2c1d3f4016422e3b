import type { Logger } from '@app/platform';
import { type Actor, actorRef } from './actor.js';

/** What was changed, and how. */
export type Action =
  | `api_key.${'create' | 'revoke' | 'bootstrap'}`
  | `channel.${'set_breaker' | 'set_rate' | 'set_token'}`
  | `client.${'create' | 'replace' | 'change' | 'delete'}`
  | `mailing.${'create' | 'edit' | 'delete' | 'pause' | 'resume' | 'cancel' | 'retry_failed' | 'resend_unknown'}`
  | 'report.request'
  | `tag.${'create' | 'rename' | 'delete'}`;

/** Tells in the log who changed what. Nothing of the content is told: it may be personal. */
export class ChangeLog {
  constructor(private readonly logger: Pick<Logger, 'info'>) {}

  /**
   * To be called once the change is committed, and only if there was one.
   *
   * @param object the id or the name of what was changed
   */
  add(actor: Actor, action: Action, object: number | string): void {
    const line = { action, object, actor: actorRef(actor), actorName: actor.name };
    if (actor.kind === 'system') this.logger.info(line, 'changed');
    else this.logger.info({ ...line, address: actor.address, reqId: actor.requestId }, 'changed');
  }
}
