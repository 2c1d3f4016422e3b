import { loadConfig } from './load-config.js';

describe('ENCRYPTION_KEY', () => {
  const read = (value: string) => loadConfig(['ENCRYPTION_KEY'], { ENCRYPTION_KEY: value });
  const [first, second] = ['5f0c1d8a77b94e21', '9a3be6601c2f4d58'];

  it('is one secret, or a list of them separated by commas', () => {
    expect(read(first)).toEqual({ ENCRYPTION_KEY: first });
    expect(read(`${first}, ${second}`)).toEqual({ ENCRYPTION_KEY: `${first}, ${second}` });
  });

  it.each([
    ['short', 'must have at least 16 characters'],
    [`${first},short`, 'key 2 of the list must have at least 16 characters'],
    [`${first},`, 'key 2 of the list must have at least 16 characters'],
    [`change-me-please-now,${first}`, 'key 1 of the list is a placeholder'],
  ])('is refused as %p', (value, reason) => {
    expect(() => read(value)).toThrow(reason);
  });
});
