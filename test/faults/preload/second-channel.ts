import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import type { ChannelKind } from '@app/channels';

/**
 * A second channel for the process that loads this, under a name that the database knows: the protocol of
 * the notification API at another provider, with a policy of its own, by which nothing is repeated.
 */

const load = createRequire(resolve('package.json'));
const { NotificationApiChannel } = load(
  resolve('dist/libs/channels/src/notification-api/notification-api.channel.js'),
) as typeof import('../../../libs/channels/src/notification-api/notification-api.channel.js');
const { notificationApi } = load(
  resolve('dist/libs/channels/src/index.js'),
) as typeof import('@app/channels');
const { channelKinds } = load(resolve('dist/libs/lanes/src/registry/channels.js')) as {
  channelKinds: Map<string, ChannelKind>;
};

const policy = {
  ...notificationApi.policy,
  callLimitMs: 2_000,
  leaseMs: 6_000,
  repeatUnknown: false,
};

channelKinds.set('telegram', {
  ...notificationApi,
  name: 'telegram',
  policy,
  variables: [],
  tokenVariable: null,
  tokenExpiry: null,
  configure: () => ({
    token: process.env.NOTIFICATION_API_TOKEN,
    ratePerSecond: null,
    open: (lane) =>
      new NotificationApiChannel({
        ...lane,
        baseUrl: process.env.FAULTS_SECOND_API_URL ?? '',
        callTimeoutMs: policy.callLimitMs,
      }),
  }),
});
