import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { channelKinds, configureChannels, environmentTokens, policyOf } from './channels.js';

/** Where the name of a channel may stand: its folder, the registry, and the enum of the database. */
const MAY_NAME = [
  'libs/channels/src/notification-api/',
  'libs/lanes/src/registry/channels.ts',
  'libs/database/src/',
];

describe('the registry of channels', () => {
  it('is the one place that names them', () => {
    const naming = ['libs', 'apps']
      .flatMap((part) =>
        readdirSync(part, { recursive: true, encoding: 'utf8' }).map((file) => join(part, file)),
      )
      .filter((file) => file.endsWith('.ts') && !/\.(spec|conformance)\.ts$/.test(file))
      .filter((file) => !MAY_NAME.some((place) => file.startsWith(place)))
      // An event of the driver has the same name.
      .filter((file) =>
        readFileSync(file, 'utf8').replaceAll(".on('notification'", '').includes("'notification'"),
      );
    expect(naming).toEqual([]);
  });

  it.each([...channelKinds.values()])(
    'has a lease for $name that is longer than its calls',
    ({ policy }) => {
      expect(policy.leaseMs).toBeGreaterThan(policy.callLimitMs + policy.marginMs);
      expect(policy.retryScheduleS.length).toBeGreaterThan(0);
      expect(policy.retryJitter).toBeGreaterThanOrEqual(0);
      expect(policy.retryJitter).toBeLessThan(1);
    },
  );

  it('has no policy for what it does not know', () => {
    expect(() => policyOf('pigeon')).toThrow('There is no channel "pigeon"');
  });

  it('configures what the environment has an address for', () => {
    expect([...configureChannels({}).keys()]).toEqual([]);
    const channels = configureChannels({
      NOTIFICATION_API_URL: 'http://127.0.0.1:1/v1',
      NOTIFICATION_API_TOKEN: 'secret',
      NOTIFICATION_API_RATE: 12,
    });
    expect([...channels]).toMatchObject([['notification', { token: 'secret', ratePerSecond: 12 }]]);
  });

  it('knows the tokens of the environment by channel', () => {
    expect([...environmentTokens({ NOTIFICATION_API_TOKEN: 'secret' })]).toEqual([
      ['notification', 'secret'],
    ]);
    expect([...environmentTokens({})]).toEqual([]);
  });
});
