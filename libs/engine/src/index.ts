export { DeliverService } from './deliver/deliver.service.js';
export { showPlaces } from './deliver/metrics.js';
export { findDueRetries, findFresh } from './dispatch/dispatch.queries.js';
export { DispatchService } from './dispatch/dispatch.service.js';
export { FinishService } from './finish/finish.service.js';
export { findUnplannedMailings } from './plan/plan.queries.js';
export { PlanService } from './plan/plan.service.js';
export { SlotsService } from './plan/slots.service.js';
