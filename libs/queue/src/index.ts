export { createQueue, migrateQueue, type OpenQueue } from './backend.js';
export { bounded } from './bounded.js';
export { DeliveryConsumer } from './delivery-consumer.js';
export { DeliveryQueue, type FeedItem } from './delivery-queue.js';
export type { DeliveryJob } from './jobs.js';
export { queueTroubles } from './troubles.js';
