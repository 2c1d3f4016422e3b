import { ADD_TO_TOTALS, NOTE_ACTIVITY } from './books.sql.js';
import { CANONICAL_FORMS, TIMEZONE_NAMES } from './canonical-forms.sql.js';
import { CLAIM_MESSAGES } from './claim-messages.sql.js';
import { KEEP_MESSAGE_IDS_AHEAD, NOTE_CLIENT_MAILINGS } from './message-rows.sql.js';
import type { Repeatable } from './repeatable.js';
import { RESERVE_FOR_CLAIM } from './reserve-for-claim.sql.js';

/** In the order in which they are applied. */
export const REPEATABLES: readonly Repeatable[] = [
  CANONICAL_FORMS,
  TIMEZONE_NAMES,
  KEEP_MESSAGE_IDS_AHEAD,
  NOTE_CLIENT_MAILINGS,
  NOTE_ACTIVITY,
  ADD_TO_TOTALS,
  RESERVE_FOR_CLAIM,
  CLAIM_MESSAGES,
];
