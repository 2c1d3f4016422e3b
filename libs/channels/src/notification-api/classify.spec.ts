import type { Answer } from '../http/call.js';
import { CallError, type CallFailure } from '../http/call-error.js';
import { classifyAnswer, classifyFailure } from './classify.js';

const SECRETS = { token: 'eyJhbGciOi.eyJleHAi.c2ln', phone: '79991234567' };
const NOW = new Date('2026-10-01T12:00:00Z');

function classify(status: number, body: string, headers = {}, framed = true) {
  const answer: Answer = { status, headers, body: Buffer.from(body), framed };
  return classifyAnswer(answer, SECRETS, NOW);
}

describe('an answer of the notification API', () => {
  it.each([
    '{"code":0,"message":"OK"}',
    '{"code":0}',
    ' {"x":[],"code":0.0}\n',
    '\uFEFF{"code":0}',
  ])('with 200 and %s confirms the message', (body) => {
    expect(classify(200, body)).toEqual({ kind: 'delivered', httpStatus: 200 });
  });

  it('confirms when it is whole, even if it did not state its length', () => {
    expect(classify(200, '{"code":0}', {}, false)).toMatchObject({ kind: 'delivered' });
  });

  it.each([
    ['{"code":1,"message":"busy"}', 'bad_code', 'code 1: busy'],
    ['{"code":"0"}', 'bad_code', 'code "0": {"code":"0"}'],
    ['{"code":null}', 'bad_code', 'code null: {"code":null}'],
    ['{"code":false}', 'bad_code', 'code false: {"code":false}'],
    ['{"code":[0]}', 'bad_code', 'code [0]: {"code":[0]}'],
    ['{"CODE":0}', 'bad_code', 'code missing: {"CODE":0}'],
    ['{}', 'bad_code', 'code missing: {}'],
    ['[{"code":0}]', 'not_object', 'not a JSON object: [{"code":0}]'],
    ['[]', 'not_object', 'not a JSON object: []'],
    ['0', 'not_object', 'not a JSON object: 0'],
    ['null', 'not_object', 'not a JSON object: null'],
    ['"OK"', 'not_object', 'not a JSON object: "OK"'],
    ['', 'not_json', 'an empty answer'],
    ['OK', 'not_json', 'not JSON: OK'],
    ['<html><b>Welcome</b></html>', 'not_json', 'not JSON: Welcome'],
  ])('with 200 and %p does not confirm, so it is tried again', (body, code, detail) => {
    const outcome = classify(200, body);
    expect(outcome).toMatchObject({ kind: 'retry', code, detail, httpStatus: 200 });
  });

  it.each([
    ['{"code":0', true],
    ['{"code":0,"message":"OK"', true],
    ['[{"code":0}', true],
    ['{', true],
    ['', false],
    ['<html>', false],
  ])('with 200 and %p (length stated: %p) may be cut off, so nobody knows', (body, framed) => {
    expect(classify(200, body, {}, framed)).toMatchObject({ kind: 'unknown', code: 'truncated' });
  });

  it.each([
    [400, 'rejected'],
    [404, 'rejected'],
    [413, 'rejected'],
    [422, 'rejected'],
    [401, 'unavailable'],
    [403, 'unavailable'],
    [429, 'unavailable'],
    [408, 'unknown'],
    [504, 'unknown'],
    [201, 'unknown'],
    [202, 'unknown'],
    [204, 'unknown'],
    [301, 'retry'],
    [302, 'retry'],
    [307, 'retry'],
    [402, 'retry'],
    [405, 'retry'],
    [409, 'retry'],
    [410, 'retry'],
    [415, 'retry'],
    [425, 'retry'],
    [431, 'retry'],
    [500, 'retry'],
    [501, 'retry'],
    [502, 'retry'],
    [503, 'retry'],
    [599, 'retry'],
  ])('with status %i is %s, even if its body says code 0', (status, kind) => {
    const outcome = classify(status, '{"code":0,"message":"OK"}');
    expect(outcome).toMatchObject({
      kind,
      code: `http_${status}`,
      httpStatus: status,
      detail: `HTTP ${status}: OK`,
    });
  });

  it('says why the provider is not usable', () => {
    expect(classify(401, '')).toMatchObject({ scope: 'auth' });
    expect(classify(403, '')).toMatchObject({ scope: 'auth' });
    expect(classify(429, '')).toMatchObject({ scope: 'rate' });
  });

  it.each([429, 425, 500, 503])('with %i may say when to come back', (status) => {
    expect(classify(status, '', { 'retry-after': '120' })).toMatchObject({ retryAfterMs: 120_000 });
    expect(classify(status, '')).not.toHaveProperty('retryAfterMs');
    expect(classify(status, '', { 'retry-after': '-5' })).not.toHaveProperty('retryAfterMs');
  });

  it("keeps the provider's words without our secrets", () => {
    const body = `{"message":"+7 (999) 123-45-67 is blocked for Bearer ${SECRETS.token}"}`;
    const outcome = classify(422, body);
    expect(outcome).toMatchObject({
      detail: 'HTTP 422: *** is blocked for Bearer ***',
      excerpt: '{"message":"*** is blocked for Bearer ***"}',
    });
  });

  it.each([
    ['{"detail":"a"}', 'a'],
    ['{"error":{"code":5,"message":"b"}}', 'b'],
    ['{"error":"c"}', 'c'],
    ['{"message":"","description":"d"}', 'd'],
    ['{"unexpected":true}', '{"unexpected":true}'],
    ['<html><head><title>502</title></head>\n<body>Bad gateway</body></html>', '502 Bad gateway'],
  ])('finds the words in %s', (body, words) => {
    expect(classify(500, body)).toMatchObject({ detail: `HTTP 500: ${words}` });
  });
});

describe('a call without a complete answer', () => {
  it.each<CallFailure>(['refused', 'dns', 'connect_timeout', 'tls', 'connect_failed'])(
    'that failed before writing (%s) is the way to the provider being down',
    (code) => {
      const outcome = classifyFailure(new CallError(code, false, 'why'), SECRETS);
      expect(outcome).toEqual({ kind: 'unavailable', scope: 'down', code, detail: 'why' });
    },
  );

  it.each<CallFailure>(['deadline', 'closed'])(
    'that was given up before writing (%s) is skipped',
    (code) => {
      const outcome = classifyFailure(new CallError(code, false, 'why'), SECRETS);
      expect(outcome).toEqual({ kind: 'skipped', code, detail: 'why' });
    },
  );

  it.each<CallFailure>(['timeout', 'reset', 'truncated', 'too_large', 'garbled', 'protocol'])(
    'that failed after writing (%s) is unknown',
    (code) => {
      const outcome = classifyFailure(new CallError(code, true, 'why'), SECRETS);
      expect(outcome).toEqual({ kind: 'unknown', code, detail: 'why' });
    },
  );
});
