import type { Environment, Variable } from '@app/platform';
import type { Channel, ChannelPolicy } from './channel.js';
import type { ContentSchema } from './content.js';

/** One way to deliver: what all of its lanes have in common, and how the channel of a lane is opened. */
export interface ChannelKind {
  readonly name: string;
  readonly policy: ChannelPolicy;
  /** The content of a mailing on it. */
  readonly content: ContentSchema;
  /** Variables of the environment that it needs; a worker does not start without them. */
  readonly variables: readonly Variable[];
  /** The one of them with the token of lanes that have none stored; null: there is none. */
  readonly tokenVariable: Variable | null;
  /** Null: this environment does not use the channel. */
  configure(environment: Partial<Environment>): ConfiguredChannel | null;
  /** When a token of it expires (null: the token does not say); null: its tokens do not expire. */
  readonly tokenExpiry: ((token: string) => Date | null) | null;
}

/** A channel as the environment configures it. */
export interface ConfiguredChannel {
  /** Used by lanes that have none stored. */
  readonly token: string | undefined;
  /** Messages per second of a lane, over all workers; null leaves what was set over the API. */
  readonly ratePerSecond: number | null;
  /** The channel of one lane. */
  open(lane: OpenLaneOptions): Channel;
}

export interface OpenLaneOptions {
  /** Asked before every call, so that a replaced one counts at once. @throws when it cannot be read. */
  token: () => string;
  /** Calls at a time. */
  concurrency: number;
}
