import { DomainError } from '@app/platform';
import type { Received } from '../provider/notification-api.js';
import { parseMsgId } from '../provider/validation.js';
import { ReceivedLog } from '../received/log.js';
import { messageOf, pageOf, requestsOf, summaryOf, timelineOf } from '../received/views.js';
import { operation, queryParameter } from './operation.js';
import type { ControlRequest, Route } from './route.js';

const TAG = 'Received';
const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 10_000;
const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });

const paging = [
  queryParameter('limit', 'How many at most', {
    type: 'integer',
    minimum: 1,
    maximum: MAX_LIMIT,
    default: DEFAULT_LIMIT,
  }),
  queryParameter('cursor', '`nextCursor` of the page before', { type: 'string' }),
];

/** What came in: totals, messages, duplicates, times. */
export function receivedRoutes({ received }: { received: Received }): Route[] {
  return [
    {
      method: 'GET',
      path: '/received',
      operation: operation({
        tag: TAG,
        summary: 'What came in, in numbers',
        answer: ref('Summary'),
      }),
      handle: () => ({ status: 200, json: summaryOf(received.log) }),
    },
    {
      method: 'DELETE',
      path: '/received',
      operation: operation({ tag: TAG, summary: 'Forgets everything that came in' }),
      handle: () => {
        received.log = new ReceivedLog();
        return { status: 204 };
      },
    },
    {
      method: 'GET',
      path: '/received/messages',
      operation: operation({
        tag: TAG,
        summary: 'The messages in order of their first arrival',
        parameters: paging,
        answer: ref('MessagePage'),
        errors: { 400: 'A parameter is wrong' },
      }),
      handle: ({ query }) => ({
        status: 200,
        json: pageOf(received.log, pageIn(query), () => true),
      }),
    },
    {
      method: 'GET',
      path: '/received/messages/{id}',
      operation: operation({
        tag: TAG,
        summary: 'One message and each request for it',
        parameters: [
          { name: 'id', in: 'path', required: true, schema: { type: 'integer', format: 'int64' } },
        ],
        answer: ref('MessageLog'),
        errors: { 404: 'No request for this id came in' },
      }),
      handle: ({ parameters }) => {
        const { log } = received;
        const id = parseMsgId(parameters.id ?? '');
        const row = id === undefined ? undefined : log.rowOf(id);
        if (row === undefined) {
          throw new DomainError('not_found', 'No request for this id has come in.');
        }
        return { status: 200, json: { ...messageOf(log, row), log: requestsOf(log, row) } };
      },
    },
    {
      method: 'GET',
      path: '/received/duplicates',
      operation: operation({
        tag: TAG,
        summary: 'The messages with more than one OK',
        parameters: [
          ...paging,
          queryParameter('by', 'Counted when written (`oks`) or when decided (`accepted`)', {
            type: 'string',
            enum: ['oks', 'accepted'],
            default: 'oks',
          }),
        ],
        answer: ref('MessagePage'),
        errors: { 400: 'A parameter is wrong' },
      }),
      handle: ({ query }) => {
        const { messages } = received.log;
        const counts = messages[oneOf(query, 'by', ['oks', 'accepted'])];
        const page = pageOf(received.log, pageIn(query), (row) => counts.get(row) > 1);
        return { status: 200, json: page };
      },
    },
    {
      method: 'GET',
      path: '/received/timeline',
      operation: operation({
        tag: TAG,
        summary: 'When each request arrived: one array of milliseconds since 1970',
        answer: { type: 'array', items: { type: 'number' }, example: [1_764_000_000_000.125] },
      }),
      handle: () => ({
        status: 200,
        pieces: timelineOf(received.log),
        contentType: 'application/json',
      }),
    },
  ];
}

function pageIn(query: ControlRequest['query']) {
  return {
    limit: wholeNumber(query, 'limit', 1, MAX_LIMIT, DEFAULT_LIMIT),
    cursor: wholeNumber(query, 'cursor', 0, Number.MAX_SAFE_INTEGER, 0),
  };
}

function wholeNumber(
  query: ControlRequest['query'],
  name: string,
  min: number,
  max: number,
  fallback: number,
): number {
  const text = query.get(name);
  if (text === null) return fallback;
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= min && value <= max) return value;
  throw wrongParameter(name, `must be a whole number from ${min} to ${max}`);
}

function oneOf<T extends string>(
  query: ControlRequest['query'],
  name: string,
  values: readonly [T, ...T[]],
): T {
  const text = query.get(name) ?? values[0];
  const value = values.find((known) => known === text);
  if (value === undefined) throw wrongParameter(name, `must be one of ${values.join(', ')}`);
  return value;
}

function wrongParameter(path: string, message: string): DomainError {
  return new DomainError('invalid', 'A parameter is wrong.', [{ path, message }]);
}
