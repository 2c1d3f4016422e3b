import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { canonicalEmail, canonicalName, canonicalTimezone } from '@app/platform';
import { keyOf } from '../../apps/api/src/http/auth/authenticate.js';
import { WriteClientDto } from '../../apps/api/src/resources/clients/client.dto.js';
import { canonicalJson } from '../../apps/api/src/http/idempotency/canonical-json.js';
import { parseJsonBody } from '../../apps/api/src/http/body/json-body.js';
import { shapeOf } from '../../apps/api/src/http/input/known-fields.js';
import { urlFaults } from '../../apps/api/src/http/routing/url-text.js';
import { parseIfMatch } from '../../apps/api/src/http/versions/entity-tag.js';
import { CallError } from '../../libs/channels/src/http/call-error.js';
import { decompress } from '../../libs/channels/src/http/decompress.js';
import { ContinueFilter } from '../../libs/channels/src/http/interim-answers.js';
import { readJwtExpiry } from '../../libs/channels/src/jwt.js';
import {
  classifyAnswer,
  classifyFailure,
} from '../../libs/channels/src/notification-api/classify.js';
import { detailOf, excerptOf } from '../../libs/channels/src/provider-words.js';
import { parseRetryAfter } from '../../libs/channels/src/retry-after.js';
import { decodeCursor } from '../../libs/database/src/cursor.js';
import { asciiText, storableText } from '../../libs/reports/src/external-text.js';
import { Recipients } from '../../libs/reports/src/recipients.js';
import { failureOf, successOf } from '../../libs/reports/src/send/smtp-outcome.js';
import type { Reader } from './growth.js';

const SECRETS = { token: 'eyJhbGciOi.eyJleHAi.c2ln', phone: '79991234567' };
const NOW = new Date('2026-10-01T12:00:00Z');
const CAP = 64 * 1_024;
const recipients = new Recipients({
  recipients: ['a@example.com', 'b@example.com'],
  accepted: [],
  refused: [],
});

const text = (read: (input: string) => unknown): Reader<unknown> => ({
  prepare: (input) => input,
  read: read as (input: unknown) => unknown,
});
const bytes = (
  prepare: (input: string) => Buffer,
  read: (input: Buffer) => unknown,
): Reader<unknown> => ({ prepare, read: read as (input: unknown) => unknown });
const json = (
  prepare: (input: string) => unknown,
  read: (input: unknown) => unknown,
): Reader<unknown> => ({ prepare, read });
const tryParse = (input: string): unknown => {
  try {
    return JSON.parse(input.slice(0, 4_096));
  } catch {
    return {};
  }
};

const answered = (status: number, wrap: (input: string) => string = (input) => input) =>
  bytes(
    (input) => Buffer.from(wrap(input)).subarray(0, CAP),
    (body) => classifyAnswer({ status, headers: {}, body, framed: true }, SECRETS, NOW),
  );
const inPieces = (input: Buffer) => {
  const filter = new ContinueFilter();
  filter.requestBegins();
  for (let at = 0; at < input.length && filter.awaiting; at += 1_460) {
    filter.pass(input.subarray(at, at + 1_460));
  }
};
const smtpError = (words: string) => ({
  code: 'EENVELOPE',
  responseCode: 550,
  response: words,
  rejectedErrors: [{ responseCode: 550, response: words, recipient: words }],
});

/** Everything that reads what somebody else chose, by name. A new one belongs here. */
export const READERS: Record<string, Reader<unknown>> = {
  'an answer of 200': answered(200),
  'an answer of 422': answered(422),
  'an answer of 503': answered(503),
  'a message in an answer': answered(422, (message) => JSON.stringify({ message })),
  'a code in an answer': answered(200, (code) => JSON.stringify({ code })),
  'an excerpt': bytes(
    (input) => Buffer.from(input),
    (body) => excerptOf(body, SECRETS),
  ),
  'a detail': text((words) => detailOf(words, SECRETS)),
  'the words of a failed call': text((words) =>
    classifyFailure(new CallError('protocol', true, words), SECRETS),
  ),
  'Retry-After': text((value) => parseRetryAfter(value, value, NOW)),
  'a date in an answer': text((date) =>
    parseRetryAfter('Thu, 01 Oct 2026 12:00:10 GMT', date, NOW),
  ),
  'a content encoding': text((encoding) => decompress(Buffer.from('x'), encoding, CAP)),
  'a gzip body': bytes(gzipSync, (body) => decompress(body, 'gzip', CAP)),
  'a brotli body': bytes(quickBrotli, (body) => decompress(body, 'br', CAP)),
  'a body that only says that it is gzip': bytes(
    (input) => Buffer.from(input),
    (body) => decompress(body, 'gzip', CAP),
  ),
  'a JWT': text(readJwtExpiry),
  'the payload of a JWT': json(
    (input) => `a.${Buffer.from(input).toString('base64url')}.b`,
    (token) => readJwtExpiry(token as string),
  ),
  'interim answers': bytes((input) => Buffer.from(`HTTP/1.1 100 Continue\r\n${input}`), inPieces),
  'a webhook’s words': text((words) => storableText(words)),
  'words in ASCII': text(asciiText),
  'a mail server’s refusal': text((words) => failureOf(smtpError(words), recipients, true)),
  'a mail server’s acceptance': text((words) =>
    successOf({ accepted: [words, { address: words }], response: words }, recipients),
  ),
  'a request’s body': bytes((input) => Buffer.from(input), parseJsonBody),
  'texts in a request’s body': bytes(
    (input) => Buffer.from(JSON.stringify([{ [input.slice(0, 100)]: input }])),
    parseJsonBody,
  ),
  'the canonical form of a body': json(tryParse, canonicalJson),
  'the fields of a body': json(tryParse, (body) => shapeOf(WriteClientDto, body as object)),
  'many unknown fields': json(
    // As many as a body of that size can have.
    (input) =>
      Object.fromEntries(
        Array.from({ length: input.length / 8 }, (_, at) => [`${input[at] ?? ''}${at}`, at]),
      ),
    (body) => shapeOf(WriteClientDto, body as object),
  ),
  'a query string': text((query) => urlFaults(`/clients?${query}`)),
  'a path': text((path) => urlFaults(`/${path}`)),
  'a key in `token`': text((token) => keyOf({ token })),
  'a key in `Authorization`': text((authorization) => keyOf({ authorization })),
  'a bearer key': text((key) => keyOf({ authorization: `Bearer ${key}` })),
  'an `If-Match`': text(parseIfMatch),
  'a cursor': text((cursor) => decodeCursor('clients', cursor, 1)),
  'an e-mail address': text(canonicalEmail),
  'the domain of an e-mail address': text((domain) => canonicalEmail(`a@${domain}`)),
  'a name': text(canonicalName),
  'a timezone': text(canonicalTimezone),
};

function quickBrotli(input: string): Buffer {
  return brotliCompressSync(input, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } });
}
