export { SlotsService } from './plan/slots.service.js';
export { PlanService } from './plan/plan.service.js';
export { DispatchService, type DispatchOptions } from './dispatch/dispatch.service.js';
export { DeliverService, type DeliverOptions } from './deliver/deliver.service.js';
export { FinishService } from './finish/finish.service.js';
export { isTimezone, nextSlot, UnknownTimezoneError } from './plan/slots.js';
export { configureLane } from './deliver/lanes.queries.js';
