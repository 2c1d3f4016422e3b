import { errors } from 'undici';

import { afterWriting, beforeWriting } from './call-error.js';

const failed = (code: string, message = 'why'): Error =>
  Object.assign(new Error(message), { code });

describe('beforeWriting', () => {
  it.each([
    ['ECONNREFUSED', 'refused'],
    ['ENOTFOUND', 'dns'],
    ['EAI_AGAIN', 'dns'],
    ['ETIMEDOUT', 'connect_timeout'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'tls'],
    ['CERT_HAS_EXPIRED', 'tls'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'tls'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'tls'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'tls'],
    ['EPROTO', 'tls'],
    ['ECONNRESET', 'connect_failed'],
    ['EHOSTUNREACH', 'connect_failed'],
    ['EMFILE', 'local'],
    ['ENFILE', 'local'],
    ['EADDRNOTAVAIL', 'local'],
    ['ENOBUFS', 'local'],
    ['', 'connect_failed'],
  ])('calls %s %s, and knows that nothing was written', (code, name) => {
    const error = beforeWriting(failed(code));
    expect(error).toMatchObject({ code: name, written: false, message: 'why' });
  });

  it('reads the failures of all addresses that were tried', () => {
    const causes = [failed('ECONNREFUSED', '::1 refused'), failed('ECONNREFUSED', '127 refused')];
    const error = Object.assign(new AggregateError(causes), { code: 'ECONNREFUSED' });
    expect(beforeWriting(error)).toMatchObject({
      code: 'refused',
      message: '::1 refused; 127 refused',
    });
  });

  it('falls back on the code where there is no message', () => {
    expect(beforeWriting(failed('EHOSTUNREACH', ''))).toMatchObject({ message: 'EHOSTUNREACH' });
  });
});

describe('afterWriting', () => {
  it.each<[string, string, Error]>([
    ['a body over the cap', 'too_large', new errors.ResponseExceededMaxSizeError()],
    ['endless headers', 'too_large', new errors.HeadersOverflowError()],
    ['a body of another length', 'truncated', new errors.ResponseContentLengthMismatchError()],
    ['a closed connection', 'reset', new errors.SocketError('other side closed')],
    ['a reset', 'reset', failed('ECONNRESET')],
    ['a broken pipe', 'reset', failed('EPIPE')],
  ])('calls %s %s, and knows that the provider may have the request', (_, code, error) => {
    expect(afterWriting(error, false)).toMatchObject({ code, written: true });
  });

  it('distinguishes a cut answer from none', () => {
    expect(afterWriting(failed('ECONNRESET'), true)).toMatchObject({ code: 'truncated' });
  });
});
