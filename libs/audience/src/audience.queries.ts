import type { AudienceFilter, Queryable } from '@app/database';
import { compileAudience } from './compile.js';

export interface AudienceZone {
  timezone: string;
  clients: number;
}

export interface SampleClient {
  id: number;
  phone: string;
  timezone: string;
}

/**
 * How many clients match, by zone, biggest first. Not a prepared statement: its plan follows the
 * values, too.
 */
export async function countAudience(
  db: Queryable,
  filter: AudienceFilter,
): Promise<AudienceZone[]> {
  const values: unknown[] = [];
  const { condition } = compileAudience(filter, (value) => `$${values.push(value)}`);
  const { rows } = await db.query<AudienceZone>({
    text: `
      SELECT z.name AS timezone, a.clients
      FROM (SELECT c.zone_id, count(*) AS clients FROM clients c WHERE ${condition} GROUP BY c.zone_id) a
      JOIN zones z ON z.id = a.zone_id
      ORDER BY a.clients DESC, z.name`,
    values,
  });
  return rows;
}

/** Somebody whom the mailing would reach, to show the message as it will be sent. */
export async function findSampleClient(
  db: Queryable,
  filter: AudienceFilter,
): Promise<SampleClient | null> {
  const values: unknown[] = [];
  const { condition } = compileAudience(filter, (value) => `$${values.push(value)}`);
  const { rows } = await db.query<SampleClient>({
    text: `SELECT c.id, c.phone, c.timezone FROM clients c WHERE ${condition} LIMIT 1`,
    values,
  });
  return rows[0] ?? null;
}
