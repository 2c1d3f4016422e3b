export { createQueue, isPostgres, migrateQueue } from './backend.js';
export { DeliveryQueue, bounded, type FeedItem } from './delivery-queue.js';
export { DeliveryConsumer, type ConsumerOptions } from './delivery-consumer.js';
export { DELIVER, deliveryJobId, parseDeliveryJob, queueName, type DeliveryJob } from './jobs.js';
