export { type Actor, type Requester } from './actor.js';
export { ChangeLog } from './change-log.js';
