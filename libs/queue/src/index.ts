export { createQueue, isPostgres, migrateQueue, type OpenQueue } from './backend.js';
export { bounded } from './bounded.js';
export { QueueTroubles, queueTroubles } from './troubles.js';
export { DeliveryQueue, type FeedItem } from './delivery-queue.js';
export { DeliveryConsumer, type ConsumerOptions } from './delivery-consumer.js';
export { DELIVER, deliveryJobId, parseDeliveryJob, type DeliveryJob } from './jobs.js';
