import type { AudienceFilter, Queryable } from '@app/database';

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
 * How many clients match, by zone, biggest first. Only lists that say something become conditions,
 * so that each filter gets the plan of its own index; hence no prepared statement.
 */
export async function countAudience(
  db: Queryable,
  filter: AudienceFilter,
): Promise<AudienceZone[]> {
  const { condition, values } = audienceCondition(filter);
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
  const { condition, values } = audienceCondition(filter);
  const { rows } = await db.query<SampleClient>({
    text: `SELECT c.id, c.phone, c.timezone FROM clients c WHERE ${condition} LIMIT 1`,
    values,
  });
  return rows[0] ?? null;
}

/** The clock that decides about sending. */
export async function readDatabaseTime(db: Queryable): Promise<Date> {
  const { rows } = await db.query<{ now: Date }>({ text: 'SELECT clock_timestamp() AS now' });
  const [row] = rows;
  if (!row) throw new Error('SELECT without FROM gave no row');
  return row.now;
}

/** Inside a list OR, between lists AND, an empty list is everyone; an unknown tag is nobody's. */
function audienceCondition(filter: AudienceFilter): { condition: string; values: string[][] } {
  const conditions: string[] = [];
  const values: string[][] = [];
  const add = (list: string[], condition: (parameter: string) => string) => {
    if (list.length > 0) conditions.push(condition(`$${values.push(list)}::text[]`));
  };
  add(filter.phones, (phones) => `c.phone = ANY (${phones})`);
  add(filter.operatorCodes, (codes) => `c.operator_code = ANY (${codes})`);
  add(
    filter.tags,
    (names) => `c.id IN (
      SELECT ct.client_id FROM client_tags ct JOIN tags t ON t.id = ct.tag_id WHERE t.name = ANY (${names}))`,
  );
  return { condition: conditions.join(' AND ') || 'true', values };
}
