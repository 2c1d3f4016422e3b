import { z } from 'zod';
import { faultSettings } from '../faults/settings.js';
import type { Json } from './route.js';

const integer = { type: 'integer' };
const nullableTime = { type: ['number', 'null'], description: 'Milliseconds since 1970' };
const time = { type: 'number', description: 'Milliseconds since 1970, with fractions' };
const messageId = {
  type: ['integer', 'string'],
  description: 'A string only beyond 2^53 - 1',
};

const messageExample = {
  id: 17,
  phone: 79_261_234_567,
  text: 'Hello',
  requests: 2,
  accepted: 1,
  oks: 1,
  firstAt: 1_764_000_000_000.125,
  lastAt: 1_764_000_005_000.5,
  times: [1_764_000_000_000.125, 1_764_000_005_000.5],
  okTimes: [1_764_000_005_001],
};

function object(properties: Json, more: Json = {}): Json {
  return { type: 'object', properties, required: Object.keys(properties), ...more };
}

const message = object(
  {
    id: messageId,
    phone: { type: ['integer', 'null'], description: 'Of the last well-formed request' },
    text: { type: ['string', 'null'], description: 'Of the last well-formed request' },
    requests: integer,
    accepted: { ...integer, description: 'Times the provider took the message' },
    oks: { ...integer, description: 'Times an OK was written to its last byte' },
    firstAt: time,
    lastAt: time,
    times: { type: 'array', items: time, description: 'Arrival of each request' },
    okTimes: { type: 'array', items: time, description: 'End of each OK' },
  },
  { example: messageExample },
);

const requestLogEntry = object({
  at: time,
  status: { type: ['integer', 'null'], description: 'null without an answer (yet)' },
  accepted: { type: 'boolean' },
  okAt: nullableTime,
  phone: { type: ['integer', 'null'] },
  text: { type: ['string', 'null'] },
});

export const schemas: Record<string, Json> = {
  Send: object(
    {
      id: { type: 'integer', format: 'int64' },
      phone: { type: 'integer', format: 'int64' },
      text: { type: 'string' },
    },
    { example: { id: 17, phone: 79_261_234_567, text: 'Hello' } },
  ),
  SendAnswer: object(
    { code: { type: 'integer', format: 'int32' }, message: { type: 'string' } },
    { example: { code: 0, message: 'OK' } },
  ),
  Message: message,
  MessageLog: {
    allOf: [
      { $ref: '#/components/schemas/Message' },
      object({ log: { type: 'array', items: requestLogEntry } }),
    ],
  },
  MessagePage: object({
    items: { type: 'array', items: { $ref: '#/components/schemas/Message' } },
    nextCursor: { type: ['string', 'null'] },
  }),
  Summary: object(
    {
      requests: integer,
      messages: { ...integer, description: 'Different ids' },
      delivered: { ...integer, description: 'Ids with at least one OK' },
      duplicates: { ...integer, description: 'Ids with more than one OK' },
      oks: { ...integer, description: 'OKs written to their last byte' },
      accepted: object(
        { requests: integer, messages: integer, duplicates: integer },
        { description: 'The same, counted when the provider decided OK' },
      ),
      unanswered: { ...integer, description: 'Requests that still wait for their answer' },
      byStatus: {
        type: 'object',
        additionalProperties: integer,
        description: '`none`: the connection ended without an answer',
      },
      firstAt: nullableTime,
      lastAt: nullableTime,
      listedRequests: {
        ...integer,
        description: 'Requests kept one by one; the others are counted',
      },
      tokens: { type: 'array', items: object({ sha256: { type: 'string' }, requests: integer }) },
    },
    {
      example: {
        requests: 3,
        messages: 2,
        delivered: 2,
        duplicates: 0,
        oks: 2,
        accepted: { requests: 2, messages: 2, duplicates: 0 },
        unanswered: 0,
        byStatus: { 200: 2, 503: 1 },
        firstAt: 1_764_000_000_000.125,
        lastAt: 1_764_000_005_000.5,
        listedRequests: 3,
        tokens: [{ sha256: 'ab12…', requests: 3 }],
      },
    },
  ),
  FaultSettings: {
    ...z.toJSONSchema(faultSettings, { io: 'input' }),
    example: {
      seed: 1,
      latency: { distribution: 'lognormal', medianMs: 40, sigma: 0.5 },
      refuse: false,
      token: { expired: false },
      rules: [{ fault: 'status', status: 503, share: 0.2 }],
    },
  },
  Faults: object({
    settings: { $ref: '#/components/schemas/FaultSettings' },
    fired: object({
      rules: { type: 'array', items: integer, description: 'One number per rule, in their order' },
      expiredToken: integer,
    }),
  }),
  Problem: object({
    type: { type: 'string' },
    title: { type: 'string' },
    status: integer,
    detail: { type: 'string' },
    errors: {
      type: 'array',
      items: object({ path: { type: 'string' }, message: { type: 'string' } }),
    },
  }),
};
