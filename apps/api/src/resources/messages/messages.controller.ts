import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { MessageService } from '@app/mailings';
import { IdPipe } from '../../http/input/id.pipe.js';
import { MessageDetailDto, MessageListQueryDto, MessagePageDto } from './message.dto.js';
import { toMessage, toMessageDetail } from './message.mapper.js';

@ApiTags('messages')
@Controller()
export class MessagesController {
  constructor(private readonly messages: MessageService) {}

  /**
   * List the messages of a mailing. They are ordered by client; with `status` in the order in which
   * they are due, with `repeated` by status. Pages are as fast at any depth; a message whose status changes meanwhile may be missed or met again.
   */
  @Get('mailings/:id/messages')
  @ApiOkResponse({ type: MessagePageDto })
  async list(
    @Param('id', IdPipe) mailingId: number,
    @Query() query: MessageListQueryDto,
  ): Promise<MessagePageDto> {
    const { items, nextCursor } = await this.messages.list({ ...query, mailingId });
    return { items: items.map(toMessage), nextCursor };
  }

  /** Read a message, its attempts, and what happens next and when. */
  @Get('messages/:id')
  @ApiOkResponse({ type: MessageDetailDto })
  async get(@Param('id', IdPipe) id: number): Promise<MessageDetailDto> {
    return toMessageDetail(await this.messages.get(id));
  }
}
