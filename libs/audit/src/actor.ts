import type { Role } from '@app/database';

/** Who sent a request that changes something. */
export interface Requester {
  kind: 'key' | 'user';
  /** Of the API key or the user. */
  id: number;
  name: string;
  role: Role;
  /** From which the request came. */
  address: string;
  /** As the log names the request: `reqId`. */
  requestId: string;
}

/** A process of ours that changes something by itself. */
export interface System {
  kind: 'system';
  name: 'api' | 'beat' | 'worker';
}

/** Who changes something: the first argument of every method of a service that does. */
export type Actor = Requester | System;

/** One text per actor for the log and for scopes: `key:4`, `user:7`, `system:api`. */
export function actorRef(actor: Actor): string {
  return `${actor.kind}:${actor.kind === 'system' ? actor.name : actor.id}`;
}
