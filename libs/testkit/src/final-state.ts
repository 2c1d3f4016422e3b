import type { MessageStatus } from '@app/database';
import type pg from 'pg';
import type { Evidence, FinalMailing } from './evidence.js';

const STATUSES = [
  'pending',
  'sending',
  'sent',
  'failed',
  'expired',
  'cancelled',
  'unknown',
] as const;

type FinalState = Omit<Evidence['database'], 'disagreements' | 'disagreeingBooks'>;

interface MailingRow {
  id: string;
  name: string;
  text: string;
  status: string;
  endAt: Date;
  window: FinalMailing['window'];
  finished: boolean;
  counters: FinalMailing['counters'];
  activity: FinalMailing['activity'];
}

/** The database's state in the end. Deleted mailings are left out. */
export async function readFinalState(db: pg.Pool): Promise<FinalState> {
  const mailings = await db.query<MailingRow>(`
    SELECT g.id, g.name, c.content ->> 'text' AS text, g.status, g.end_at AS "endAt", g.finished_at IS NOT NULL AS finished,
      CASE WHEN g.window_from IS NOT NULL THEN
        jsonb_build_object('from', g.window_from, 'to', g.window_to, 'timezone', g.window_timezone)
      END AS window,
      CASE WHEN k.mailing_id IS NOT NULL THEN
        jsonb_build_object('total', k.total, 'repeated', k.repeated, ${STATUSES.map((s) => `'${s}', k.${s}`).join(', ')})
      END AS counters,
      (SELECT jsonb_build_object(${STATUSES.map((s) => `'${s}', COALESCE(sum(a.${s}), 0)`).join(', ')})
       FROM mailing_activity a WHERE a.mailing_id = g.id) AS activity
    FROM mailings g
    JOIN mailing_contents c ON c.mailing_id = g.id AND c.version = g.content_version
    LEFT JOIN mailing_counters k ON k.mailing_id = g.id
    WHERE g.deleted_at IS NULL`);
  const messages = await db.query<{
    id: string;
    mailingId: string;
    clientId: string;
    zone: string;
    status: MessageStatus;
    attempts: number;
    repeated: boolean;
  }>(`
    SELECT m.id, m.mailing_id AS "mailingId", m.client_id AS "clientId", z.name AS zone, m.status, m.attempts,
      m.repeated
    FROM messages m JOIN zones z ON z.id = m.zone_id`);
  const attempts = await db.query<{ messageId: string; attempt: number; outcome: string }>(
    `SELECT message_id AS "messageId", attempt, outcome FROM delivery_attempts ORDER BY id`,
  );
  const clients = await db.query<{ id: string }>('SELECT id FROM clients');
  return {
    mailings: mailings.rows.map((row) => ({
      ...row,
      id: Number(row.id),
      endAt: row.endAt.getTime(),
    })),
    messages: messages.rows.map((row) => ({
      ...row,
      id: Number(row.id),
      mailingId: Number(row.mailingId),
      clientId: Number(row.clientId),
    })),
    attempts: attempts.rows.map((row) => ({ ...row, messageId: Number(row.messageId) })),
    clients: new Set(clients.rows.map((row) => Number(row.id))),
  };
}
