export { CLOSE_BOOKS, lockCountersOf, OPEN_BOOKS } from './books/books.queries.js';
export {
  claimDuePending,
  type ClaimedMessage,
  type LaterMessage,
  readContents,
  rereadClaim,
} from './claim/claim.queries.js';
export {
  closeLockedMessagesOfClient,
  forgetAddressesOfClient,
  lockOpenMessagesOfClient,
} from './client-gone/client-deletion.queries.js';
export { MAILINGS_OF_CLIENT } from './client-gone/client-mailings.queries.js';
export { BEGINNING, closePendingOfEnded, type ClosePosition } from './close/close.queries.js';
export { finishIfDrained } from './finish/finish.queries.js';
export { BATCH_SIZE, GAVE_UP_DELAY_MS, UNAVAILABLE_DELAY_MS } from './limits.js';
export { type Piece, type PieceBounds, PieceSize, PieceSizes } from './pieces/piece-size.js';
export { markPlanned, planChunk, type UnplannedMailing } from './plan/plan.queries.js';
export { purgeDeletedIfEmpty, purgeMessagesOfDeleted } from './purge/purge.queries.js';
export { recordInHalves, type Refused } from './record/halves.js';
export {
  type AttemptResult,
  type Recorded,
  recordOutcomesIfStillSending,
  type RetryPolicy,
} from './record/record.queries.js';
export {
  reopenChunk,
  type ReopenCursor,
  type ReopenedChunk,
  reopenMailingIfNotEnded,
} from './reopen/reopen.queries.js';
export { type ExpiredLease, findExpiredLeases } from './sweep/sweep.queries.js';
