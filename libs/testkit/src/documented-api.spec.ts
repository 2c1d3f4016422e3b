import { readFileSync } from 'node:fs';
import { type ApiAnswer, DocumentedApi } from './documented-api.js';

const TAG = { id: 7, name: 'vip' };
const HEADERS = { 'content-type': 'application/json; charset=utf-8', etag: '"x"' };
const PROBLEM = {
  type: 'urn:posthorn:problem:not_found',
  title: 'Not Found',
  status: 404,
  detail: 'There is no tag with id 7',
  code: 'not_found',
  data: {},
  errors: [],
};
const PROBLEM_HEADERS = { 'content-type': 'application/problem+json; charset=utf-8' };

describe('the document of the API in the tests', () => {
  const api = new DocumentedApi(
    JSON.parse(readFileSync('docs/openapi.json', 'utf8')) as ConstructorParameters<
      typeof DocumentedApi
    >[0],
  );
  const faultsOf = (
    given: Partial<Omit<ApiAnswer, 'headers'>> & { headers?: Record<string, string> } = {},
  ) =>
    api.faultsOf({
      ...{ method: 'GET', path: '/tags/7', status: 200, body: TAG },
      ...given,
      headers: new Headers(given.headers ?? HEADERS),
    });

  it('finds nothing in answers that are as declared', () => {
    expect(faultsOf()).toEqual([]);
    expect(faultsOf({ path: '/tags/7/?x=1' })).toEqual([]);
    expect(faultsOf({ method: 'HEAD', body: '' })).toEqual([]);
    expect(faultsOf({ method: 'DELETE', status: 204, body: '', headers: {} })).toEqual([]);
    expect(faultsOf({ status: 404, body: PROBLEM, headers: PROBLEM_HEADERS })).toEqual([]);
    expect(faultsOf({ path: '/docs', body: '<html>', headers: {} })).toEqual([]);
  });

  it.each([
    ['a missing field', { body: { id: 7 } }, /required property 'name'/],
    ['a field of another type', { body: { ...TAG, id: '7' } }, /\/id must be integer/],
    ['a field that nobody declared', { body: { ...TAG, color: 'red' } }, /additional properties/],
    ['a missing header', { headers: { 'content-type': 'application/json' } }, /ETag is missing/],
    ['another type of content', { headers: { ...HEADERS, 'content-type': 'text/plain' } }, /text/],
    ['another status', { status: 202 }, /202 is not declared/],
    ['a body where none is', { method: 'DELETE', status: 204 }, /none is declared/],
    ['a refusal that is no problem', { status: 404, headers: HEADERS }, /content type/],
    ['a path without a route', { path: '/nowhere' }, /200 is not declared/],
    [
      'a wrong method without Allow',
      {
        method: 'POST',
        status: 405,
        body: { ...PROBLEM, status: 405 },
        headers: PROBLEM_HEADERS,
      },
      /Allow is missing/,
    ],
  ])('finds %s', (_, given, fault) => {
    expect(faultsOf(given)).toEqual([expect.stringMatching(fault)]);
  });

  it('looks into lists and into what they hold', () => {
    const body = { items: [TAG, { ...TAG, more: [] }], nextCursor: null };
    expect(faultsOf({ path: '/tags', body })).toEqual([expect.stringMatching(/^\/items\/1 /)]);
  });
});
