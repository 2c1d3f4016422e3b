import type { AudienceFilter } from '@app/database';

/** Adds a value to the statement under construction. @returns its parameter, like `$6` */
export type Bind = (value: unknown) => string;

/** A piece of the clients in order of id, in SQL: above `after`, up to `upTo`, at most `limit`. */
export interface IdRange {
  after: string;
  upTo: string;
  limit: string;
}

export interface CompiledAudience {
  /** True of each client `c` that matches. */
  condition: string;
  /**
   * A query of the column `id`: the next clients that can match, in order of id. It reads the index
   * of one list only: the others are left to `condition`.
   */
  candidates: (range: IdRange) => string;
}

/** How one list of the filter becomes SQL; `list` is a `text[]` that is not empty. */
interface Criterion {
  list: keyof AudienceFilter;
  condition: (list: string) => string;
  candidates: (list: string, range: IdRange) => string;
}

/** A list that leaves fewer clients comes first: the first one that says something is searched for candidates. */
const CRITERIA: Criterion[] = [
  {
    list: 'phones',
    condition: (phones) => `c.phone = ANY (${phones})`,
    candidates: (phones, range) => `SELECT id FROM clients
      WHERE phone = ANY (${phones}) AND ${within('id', range)} ORDER BY id LIMIT ${range.limit}`,
  },
  {
    list: 'tags',
    condition: (names) => `EXISTS (
      SELECT FROM client_tags ct JOIN tags t ON t.id = ct.tag_id
      WHERE ct.client_id = c.id AND t.name = ANY (${names}))`,
    candidates: (names, range) => `SELECT DISTINCT x.client_id AS id
      FROM tags t CROSS JOIN LATERAL (
        SELECT client_id FROM client_tags WHERE tag_id = t.id AND ${within('client_id', range)}
        ORDER BY client_id LIMIT ${range.limit}) x
      WHERE t.name = ANY (${names}) ORDER BY id LIMIT ${range.limit}`,
  },
  {
    list: 'operatorCodes',
    condition: (codes) => `c.operator_code = ANY (${codes})`,
    candidates: (codes, range) => `SELECT x.id
      FROM (SELECT DISTINCT code FROM unnest(${codes}) AS code) codes CROSS JOIN LATERAL (
        SELECT id FROM clients WHERE operator_code = code AND ${within('id', range)}
        ORDER BY id LIMIT ${range.limit}) x
      ORDER BY x.id LIMIT ${range.limit}`,
  },
];

/**
 * A filter as SQL about clients. Inside a list OR, between lists AND; an empty list means nothing, an
 * unknown tag matches no client. The text depends on which lists are there, never on their values:
 * there is one for each of those cases, so that each has the plan of its own index.
 *
 * @param bind is asked for one parameter per list that says something.
 * @param stored SQL for lists that the statement reads by itself, as `text[]`, in place of a parameter.
 */
export function compileAudience(
  filter: AudienceFilter,
  bind: Bind,
  stored: Partial<Record<keyof AudienceFilter, string>> = {},
): CompiledAudience {
  const used = CRITERIA.filter(({ list }) => filter[list].length > 0).map((criterion) => ({
    ...criterion,
    values: stored[criterion.list] ?? `${bind(filter[criterion.list])}::text[]`,
  }));
  const [first] = used;
  return {
    condition: used.map(({ condition, values }) => condition(values)).join(' AND ') || 'true',
    candidates: (range) => first?.candidates(first.values, range) ?? everyone(range),
  };
}

function everyone(range: IdRange): string {
  return `SELECT id FROM clients WHERE ${within('id', range)} ORDER BY id LIMIT ${range.limit}`;
}

function within(id: string, { after, upTo }: IdRange): string {
  return `${id} > ${after} AND ${id} <= ${upTo}`;
}
