import type { Content, ContentSchema } from '../content.js';

/** What the notification API sends to a client. */
export interface NotificationContent extends Content {
  /** 1 to 4,096 characters. */
  readonly text: string;
}

export const NOTIFICATION_CONTENT: ContentSchema = {
  read: (value): NotificationContent => {
    const { text } = (value ?? {}) as Partial<Record<keyof NotificationContent, unknown>>;
    if (typeof text !== 'string' || text === '') throw new TypeError('text is no text');
    return { text };
  },
};
