import { Body, Controller, Get, Param, Put } from '@nestjs/common';
import { ApiOkResponse, ApiParam, ApiTags } from '@nestjs/swagger';
import type { Actor } from '@app/audit';
import { ChannelService, DEFAULT_CHANNEL } from '@app/lanes';
import { CurrentActor } from '../../http/auth/caller.js';
import { MinRole } from '../../http/auth/min-role.js';
import { Refuses } from '../../http/openapi/refuses.js';
import {
  ChannelDto,
  ChannelListDto,
  SetBreakerDto,
  SetRateDto,
  SetTokenDto,
} from './channel.dto.js';
import { toChannel } from './channel.mapper.js';

@ApiTags('channels')
@Controller('channels')
export class ChannelsController {
  constructor(private readonly channels: ChannelService) {}

  /** List the channels, each with its breaker, limit and token's end. */
  @Get()
  @ApiOkResponse({ type: ChannelListDto })
  async list(): Promise<ChannelListDto> {
    return { items: (await this.channels.list()).map(toChannel), nextCursor: null };
  }

  /** Open or close a breaker by hand. Messages that are not being sent when the answer comes follow it. */
  @Put(':name/breaker')
  @MinRole('admin')
  @ApiParam({ name: 'name', example: DEFAULT_CHANNEL })
  @ApiOkResponse({ type: ChannelDto })
  async setBreaker(
    @CurrentActor() actor: Actor,
    @Param('name') name: string,
    @Body() { state }: SetBreakerDto,
  ): Promise<ChannelDto> {
    return toChannel(await this.channels.setBreaker(actor, name, state));
  }

  /** Limit a channel's speed. It holds over all workers, from the next message on. */
  @Put(':name/rate')
  @MinRole('admin')
  @ApiParam({ name: 'name', example: DEFAULT_CHANNEL })
  @ApiOkResponse({ type: ChannelDto })
  async setRate(
    @CurrentActor() actor: Actor,
    @Param('name') name: string,
    @Body() { ratePerSecond }: SetRateDto,
  ): Promise<ChannelDto> {
    return toChannel(await this.channels.setRate(actor, name, ratePerSecond));
  }

  /** Replace the provider's token. A breaker that opened by itself tries it at once. */
  @Put(':name/token')
  @MinRole('admin')
  @ApiParam({ name: 'name', example: DEFAULT_CHANNEL })
  @ApiOkResponse({ type: ChannelDto })
  @Refuses(
    409,
    'The variable ENCRYPTION_KEY is not set, so that no token can be stored',
    'no_encryption_key',
  )
  async setToken(
    @CurrentActor() actor: Actor,
    @Param('name') name: string,
    @Body() { token }: SetTokenDto,
  ): Promise<ChannelDto> {
    return toChannel(await this.channels.setToken(actor, name, token));
  }
}
