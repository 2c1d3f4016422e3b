import type { ChannelView } from '@app/lanes';
import type { ChannelDto } from './channel.dto.js';

export function toChannel(channel: ChannelView): ChannelDto {
  return {
    name: channel.name,
    channel: channel.channel,
    state: channel.state,
    generation: channel.generation,
    reason: channel.reason,
    openedAt: channel.openedAt,
    probeAt: channel.probeAt,
    probes: channel.probes,
    pausedUntil: channel.pausedUntil,
    ratePerSecond: channel.ratePerSecond,
    tokenSource: channel.tokenSource,
    tokenExpiresAt: channel.tokenExpiresAt,
    queueTrouble: channel.queueTrouble,
    updatedAt: channel.updatedAt,
  };
}
