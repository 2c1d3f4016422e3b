import { readJwtExpiry } from './jwt.js';

const jwt = (payload: string): string =>
  `eyJhbGciOiJIUzI1NiJ9.${Buffer.from(payload).toString('base64url')}.c2ln`;

describe('readJwtExpiry', () => {
  it('reads when a token expires', () => {
    expect(readJwtExpiry(jwt('{"sub":"я?~","exp":2000000000}'))).toEqual(
      new Date('2033-05-18T03:33:20Z'),
    );
  });

  it.each([
    ['no expiry', jwt('{"sub":"x"}')],
    ['an expiry that is no number', jwt('{"exp":"2000000000"}')],
    ['an absurd expiry', jwt('{"exp":1e300}')],
    ['no object', jwt('null')],
    ['no JSON', jwt('{')],
    ['no payload', 'opaque'],
    ['nothing', ''],
  ])('reads none from a token with %s', (_, token) => {
    expect(readJwtExpiry(token)).toBeNull();
  });
});
