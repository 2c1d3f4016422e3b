import {
  type ChannelKind,
  type ChannelPolicy,
  type ConfiguredChannel,
  notificationApi,
} from '@app/channels';
import type { ChannelName } from '@app/database';
import type { Environment, Variable } from '@app/platform';

/** The channels that can deliver, by the name that their lanes have in `channel`. A new one goes here. */
export const channelKinds: ReadonlyMap<string, ChannelKind> = new Map(
  [notificationApi].map((kind) => [kind.name, kind]),
);

/** The channel of a mailing that names none. A channel without bots has one lane, of its own name. */
export const DEFAULT_CHANNEL: ChannelName = 'notification';

/** @throws Error when no such channel is known to this version. */
export function kindOf(channel: string): ChannelKind {
  const kind = channelKinds.get(channel);
  if (!kind) throw new Error(`There is no channel "${channel}"`);
  return kind;
}

/** @throws Error when no such channel is known to this version. */
export function policyOf(channel: string): ChannelPolicy {
  return kindOf(channel).policy;
}

/** The variables that the channels need. */
export function channelVariables(): Variable[] {
  return [...channelKinds.values()].flatMap(({ variables }) => variables);
}

/** Variables with the tokens of lanes that have none stored. */
export function tokenVariables(): Variable[] {
  return [...channelKinds.values()].flatMap(({ tokenVariable }) => tokenVariable ?? []);
}

/** The channels that this environment lets this process use, by name. */
export function configureChannels(
  environment: Partial<Environment>,
): ReadonlyMap<string, ConfiguredChannel> {
  const channels = new Map<string, ConfiguredChannel>();
  for (const [name, kind] of channelKinds) {
    const channel = kind.configure(environment);
    if (channel) channels.set(name, channel);
  }
  return channels;
}

/** The environment's tokens, by channel; those that it has not are missing. */
export function environmentTokens(environment: Partial<Environment>): ReadonlyMap<string, string> {
  const tokens = new Map<string, string>();
  for (const [name, { tokenVariable }] of channelKinds) {
    const token = tokenVariable && environment[tokenVariable];
    if (typeof token === 'string') tokens.set(name, token);
  }
  return tokens;
}
