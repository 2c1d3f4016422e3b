export {
  closeBreakerIfProbing,
  pauseLane,
  reopenBreakerIfProbing,
  returnProbe,
  takeProbeIfDue,
  tripBreakerIfClosed,
} from './breaker/breaker.queries.js';
export { BreakerWindow } from './breaker/breaker.js';
export { ChannelService, type ChannelView } from './channel.service.js';
export { configureLane } from './lanes.queries.js';
export { forgetQueueTroubles, noteQueueTrouble } from './queue-trouble.queries.js';
