export { migrateQueue } from './connections.js';
export { bounded } from './bounded.js';
export {
  DeliveryConsumers,
  type ConsumersOptions,
  type LaneConsumer,
  type LaneOptions,
} from './delivery-consumers.js';
export { DeliveryQueue, type FeedItem } from './delivery-queue.js';
export { DeliveryQueues, type QueuesOptions } from './delivery-queues.js';
export type { DeliveryJob } from './jobs.js';
export { codeOfTrouble, QUEUE_TROUBLES, type QueueTroubleCode, queueTroubles } from './troubles.js';
export { createQueue, SharedBackend } from './shared-backend.js';
export type { DeliveryHandler, Delayed } from './taking/lane-taker.js';
