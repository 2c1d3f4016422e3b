export { takeProbeIfDue } from './breaker/breaker.queries.js';
export { LaneBreaker, RATE_LIMITED_DELAY_MS } from './breaker/lane-breaker.js';
export { ChannelService, type ChannelView } from './channel.service.js';
export { forgetQueueTroubles, noteQueueTrouble } from './queue-trouble.queries.js';
export {
  channelKinds,
  channelVariables,
  configureChannels,
  DEFAULT_CHANNEL,
  environmentTokens,
  kindOf,
  policyOf,
  tokenVariables,
} from './registry/channels.js';
export { configureLane, type LaneRow, listLanes } from './registry/lanes.queries.js';
export { ProviderToken } from './token/provider-token.js';
export { type LaneToken, TokenExpiries } from './token/token-expiries.js';
