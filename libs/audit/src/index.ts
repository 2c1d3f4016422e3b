export { type Actor, actorRef, type Requester } from './actor.js';
export { ChangeLog } from './change-log.js';
