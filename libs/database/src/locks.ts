/**
 * Advisory lock that every claim holds shared. A control route commits, then takes it exclusively
 * and releases it: no claim that saw the old state is still running.
 */
export const GATE = 0x504f5301;

/** Advisory lock of the one beat that leads. */
export const LEADER_LOCK = 0x504f5302;

/** Advisory lock of the api that sets the first API key. */
export const BOOTSTRAP_LOCK = 0x504f5306;

/**
 * Advisory lock on which names tags have: shared where a filter is stored, exclusive where a tag is
 * renamed or deleted, with the filters that name it. Before any lock on a mailing.
 */
export const TAG_NAMES_LOCK = 0x504f5304;

/** Advisory lock of a request for a report by hand: their number is limited. */
export const REPORT_REQUESTS_LOCK = 0x504f5305;

/** Advisory lock of the process that moves the sequence of message ids; held for that moment only. */
export const IDS_LOCK = 0x504f5307;

/** Advisory lock of `npm run migrate`: a second one waits for the first. */
export const MIGRATION_LOCK = 0x504f5303;

/** `NOTIFY` on this channel wakes beat; the payload is not used. */
export const WAKE_CHANNEL = 'posthorn_wake';
