import type { ChannelKind } from '../channel-kind.js';
import { readJwtExpiry } from '../jwt.js';
import { NOTIFICATION_CONTENT } from './content.js';
import { NotificationApiChannel } from './notification-api.channel.js';
import { NOTIFICATION_API_POLICY } from './policy.js';

/** The external notification API: one lane, whose token is a JWT. */
export const notificationApi: ChannelKind = {
  name: 'notification',
  policy: NOTIFICATION_API_POLICY,
  content: NOTIFICATION_CONTENT,
  variables: ['NOTIFICATION_API_URL', 'NOTIFICATION_API_TOKEN', 'NOTIFICATION_API_RATE'],
  tokenVariable: 'NOTIFICATION_API_TOKEN',
  configure: ({
    NOTIFICATION_API_URL: baseUrl,
    NOTIFICATION_API_TOKEN: token,
    NOTIFICATION_API_RATE: ratePerSecond = null,
  }) =>
    baseUrl === undefined
      ? null
      : {
          token,
          ratePerSecond,
          open: (lane) => new NotificationApiChannel({ baseUrl, ...lane }),
        },
  tokenExpiry: readJwtExpiry,
};
