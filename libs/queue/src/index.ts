export { createQueue, migrateQueue, type OpenQueue } from './backend.js';
export { bounded } from './bounded.js';
export {
  DeliveryConsumers,
  type ConsumersOptions,
  type DeliveryHandler,
  type LaneConsumer,
  type LaneOptions,
  type Later,
} from './delivery-consumers.js';
export { DeliveryQueue, type FeedItem } from './delivery-queue.js';
export { DeliveryQueues, type QueuesOptions } from './delivery-queues.js';
export type { DeliveryJob } from './jobs.js';
export { queueTroubles } from './troubles.js';
