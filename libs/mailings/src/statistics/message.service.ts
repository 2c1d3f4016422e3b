import {
  badCursor,
  type Database,
  decodeCursor,
  MESSAGE_STATUSES,
  type MessageStatus,
  type Page,
  pageOf,
} from '@app/database';
import { DomainError } from '@app/platform';
import { noMailing } from '../mailing/mailing.service.js';
import {
  type AttemptRecord,
  type DueKey,
  findMessageByPhone,
  listMessages,
  listMessagesByStatus,
  listRepeatedMessages,
  mailingExists,
  type MessageRecord,
  readAttempts,
  readMessage,
} from './message.queries.js';
import { type NextStep, nextStepOf } from './next-step.js';

/** The latest attempts of one message in an answer: a week of retries every 15 minutes. */
const MOST_ATTEMPTS = 700;

export interface MessageListQuery {
  mailingId: number;
  status?: MessageStatus;
  /** Only those that may have reached their client twice. */
  repeated?: boolean;
  /** Only that of the client who has this phone now. */
  phone?: string;
  limit: number;
  cursor?: string;
}

export interface MessageDetail extends MessageRecord {
  /** Those that did not end in `sent`, oldest first. */
  deliveryAttempts: AttemptRecord[];
  next: NextStep;
}

/** What happened to each client. */
export class MessageService {
  constructor(private readonly database: Database) {}

  /**
   * By client, or, with a status, in the order in which they are due.
   *
   * @throws DomainError `not_found` for the mailing, `invalid` for a cursor of another list.
   */
  async list(query: MessageListQuery): Promise<Page<MessageRecord>> {
    const { mailingId } = query;
    if (!(await mailingExists(this.database.pool, mailingId))) throw noMailing(mailingId);
    if (query.phone !== undefined) return this.ofPhone({ ...query, phone: query.phone });
    if (query.repeated) return this.listRepeated(query);
    return query.status ? this.listByStatus({ ...query, status: query.status }) : this.all(query);
  }

  /** @throws DomainError `not_found` */
  async get(id: number): Promise<MessageDetail> {
    const db = this.database.pool;
    const situation = await readMessage(db, id);
    if (!situation) throw new DomainError('not_found', `There is no message ${id}`);
    const deliveryAttempts = await readAttempts(db, id, MOST_ATTEMPTS);
    return { ...situation, deliveryAttempts, next: nextStepOf(situation) };
  }

  /** One at most: a mailing has one message for each client. */
  private async ofPhone(query: MessageListQuery & { phone: string }): Promise<Page<MessageRecord>> {
    const { mailingId, phone, status = null, repeated = false } = query;
    const found = await findMessageByPhone(this.database.pool, {
      ...{ mailingId, phone, status, repeated },
    });
    return { items: found ? [found] : [], nextCursor: null };
  }

  private async all({ mailingId, limit, cursor }: MessageListQuery): Promise<Page<MessageRecord>> {
    const [after = null] = cursor === undefined ? [] : decodeCursor(listOf(mailingId), cursor, 1);
    const rows = await listMessages(this.database.pool, {
      mailingId,
      afterClientId: after ?? Number.MIN_SAFE_INTEGER,
      limit: limit + 1,
    });
    return pageOf(listOf(mailingId), rows, limit, (message) => [message.clientId]);
  }

  private async listByStatus(
    query: MessageListQuery & { status: MessageStatus },
  ): Promise<Page<MessageRecord>> {
    const list = listOf(query.mailingId, query.status);
    const rows = await listMessagesByStatus(this.database.pool, {
      mailingId: query.mailingId,
      status: query.status,
      after: query.cursor === undefined ? null : dueKeyOf(list, query.cursor),
      limit: query.limit + 1,
    });
    return pageOf(list, rows, query.limit, (row) => [row.zoneId, row.notBeforeUs, row.id]);
  }

  private async listRepeated(query: MessageListQuery): Promise<Page<MessageRecord>> {
    const { mailingId, status = null, limit, cursor } = query;
    const list = `${listOf(mailingId, query.status)}#repeated`;
    const [place = null, id = null] = cursor === undefined ? [] : decodeCursor(list, cursor, 2);
    const after = place === null || id === null ? null : { status: statusAt(place), id };
    const rows = await listRepeatedMessages(this.database.pool, {
      ...{ mailingId, status, after, limit: limit + 1 },
    });
    return pageOf(list, rows, limit, (row) => [MESSAGE_STATUSES.indexOf(row.status), row.id]);
  }
}

const INT4 = 2 ** 31;

/** The list that the cursors of a mailing's messages belong to. */
function listOf(mailingId: number, status?: MessageStatus): string {
  return `mailings/${mailingId}/messages${status ? `?status=${status}` : ''}`;
}

function dueKeyOf(list: string, cursor: string): DueKey {
  const [zoneId = null, notBeforeUs = null, id = null] = decodeCursor(list, cursor, 3, [1]);
  if (zoneId === null || id === null || Math.abs(zoneId) >= INT4) throw badCursor();
  return { zoneId, notBeforeUs, id };
}

function statusAt(place: number): MessageStatus {
  const status = MESSAGE_STATUSES[place];
  if (!status) throw badCursor();
  return status;
}
