import type { ChannelView } from '@app/lanes';
import { codeOfTrouble } from '@app/queue';
import type { ChannelDto } from './channel.dto.js';

export function toChannel(channel: ChannelView): ChannelDto {
  const { reason, reasonDetail, queueTrouble } = channel;
  return {
    name: channel.name,
    channel: channel.channel,
    state: channel.state,
    generation: channel.generation,
    reason: reason === null ? null : { code: reason, words: reasonDetail },
    openedAt: channel.openedAt,
    probeAt: channel.probeAt,
    probes: channel.probes,
    pausedUntil: channel.pausedUntil,
    ratePerSecond: channel.ratePerSecond,
    tokenSource: channel.tokenSource,
    tokenExpiresAt: channel.tokenExpiresAt,
    queueTrouble:
      queueTrouble === null ? null : { code: codeOfTrouble(queueTrouble), words: queueTrouble },
    updatedAt: channel.updatedAt,
  };
}
