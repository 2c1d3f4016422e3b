import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Param,
  Patch,
  Post,
  Put,
  Query,
  Res,
} from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { Actor } from '@app/audit';
import type { IdempotentRequest } from '@app/idempotency';
import { type MailingRecord, MailingService, PreviewService } from '@app/mailings';
import { CurrentActor } from '../../http/auth/caller.js';
import { Idempotent, IdempotencyKey, tellReplayed } from '../../http/idempotency/idempotent.js';
import { Refuses } from '../../http/openapi/refuses.js';
import { IdPipe } from '../../http/input/id.pipe.js';
import { type IfMatch, assertMatches } from '../../http/versions/entity-tag.js';
import { refuseReadOnlyChanges } from '../../http/versions/read-only.js';
import { IfMatchHeader, TakesIfMatch, Versioned } from '../../http/versions/versioned.js';
import {
  CreateMailingDto,
  PreviewMailingDto,
  ReplaceMailingDto,
  UpdateMailingDto,
} from './mailing-input.dto.js';
import { MailingDto, MailingListQueryDto, MailingPageDto } from './mailing.dto.js';
import {
  toChanges,
  toMailing,
  toNewMailing,
  toPreview,
  toPreviewRequest,
  toReplacement,
} from './mailing.mapper.js';
import { PreviewDto } from './preview.dto.js';

const NOT_ANY_MORE = 'The mailing is under way or over, and a field can no longer change';

function tellLocation(reply: FastifyReply, { id }: MailingRecord): void {
  void reply.header('location', `/mailings/${id}`);
}

@ApiTags('mailings')
@Controller('mailings')
export class MailingsController {
  constructor(
    private readonly mailings: MailingService,
    private readonly previews: PreviewService,
  ) {}

  /** Create a mailing. It starts by itself at `startAt`. */
  @Post()
  @Idempotent({ service: MailingService, toDto: toMailing, tell: tellLocation })
  @Versioned()
  @ApiCreatedResponse({ type: MailingDto })
  @Refuses(
    409,
    'The mailing that this Idempotency-Key made has been deleted',
    'idempotent_resource_deleted',
  )
  @Refuses(
    422,
    'The Idempotency-Key was used with another body, or no Telegram bot is registered',
    'idempotency_key_reused',
    'no_bot',
  )
  async create(
    @CurrentActor() actor: Actor,
    @Body() dto: CreateMailingDto,
    @IdempotencyKey() request: IdempotentRequest | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<MailingDto> {
    const mailing = toNewMailing(dto);
    const { resource, replayed } = await this.mailings.create(actor, mailing, request);
    tellLocation(reply, resource);
    tellReplayed(reply, replayed);
    return toMailing(resource);
  }

  /** Preview what a mailing would do if it were created now. Nothing is stored. */
  @Post('preview')
  @HttpCode(200)
  @ApiOkResponse({ type: PreviewDto })
  async preview(@Body() dto: PreviewMailingDto): Promise<PreviewDto> {
    return toPreview(await this.previews.preview(toPreviewRequest(dto)));
  }

  /** List mailings, newest first. */
  @Get()
  @ApiOkResponse({ type: MailingPageDto })
  async list(@Query() query: MailingListQueryDto): Promise<MailingPageDto> {
    const { items, nextCursor } = await this.mailings.list(query);
    return { items: items.map(toMailing), nextCursor };
  }

  /** Read a mailing. */
  @Get(':id')
  @Versioned()
  @ApiOkResponse({ type: MailingDto })
  async get(@Param('id', IdPipe) id: number): Promise<MailingDto> {
    return toMailing(await this.mailings.get(id));
  }

  /**
   * Replace a mailing. What is left out takes its default, only `startAt` stays as it is. A body as
   * it was read changes nothing.
   *
   * While it runs or is paused only `name`, `text`, `endAt`, `window` and `ratePerSecond` may
   * differ from what they are; once it is over only `name`. Messages that are not being sent when
   * this answers follow the new state. A later end does not bring back what has expired.
   */
  @Put(':id')
  @Versioned()
  @TakesIfMatch()
  @ApiOkResponse({ type: MailingDto })
  @Refuses(409, NOT_ANY_MORE, 'mailing_status')
  @Refuses(422, 'No Telegram bot is registered', 'no_bot')
  async replace(
    @CurrentActor() actor: Actor,
    @Param('id', IdPipe) id: number,
    @Body() dto: ReplaceMailingDto,
    @IfMatchHeader() ifMatch: IfMatch | undefined,
  ): Promise<MailingDto> {
    const mailing = await this.mailings.edit(actor, id, toReplacement(dto), (current) => {
      assertMatches(ifMatch, toMailing(current));
      refuseReadOnlyChanges(dto, toMailing(current));
    });
    return toMailing(mailing);
  }

  /** Change single fields of a mailing. The rules are those of PUT; `filter` and `window` change as a whole. */
  @Patch(':id')
  @Versioned()
  @TakesIfMatch()
  @ApiOkResponse({ type: MailingDto })
  @Refuses(409, NOT_ANY_MORE, 'mailing_status')
  @Refuses(422, 'No Telegram bot is registered', 'no_bot')
  async update(
    @CurrentActor() actor: Actor,
    @Param('id', IdPipe) id: number,
    @Body() dto: UpdateMailingDto,
    @IfMatchHeader() ifMatch: IfMatch | undefined,
  ): Promise<MailingDto> {
    const mailing = await this.mailings.edit(actor, id, toChanges(dto), (current) => {
      assertMatches(ifMatch, toMailing(current));
    });
    return toMailing(mailing);
  }

  /** Delete a mailing with its messages and statistics. What is not being sent stays unsent. */
  @Delete(':id')
  @HttpCode(204)
  @ApiNoContentResponse({ description: 'It is deleted' })
  @TakesIfMatch()
  async delete(
    @CurrentActor() actor: Actor,
    @Param('id', IdPipe) id: number,
    @IfMatchHeader() ifMatch: IfMatch | undefined,
  ): Promise<void> {
    const check = (current: MailingRecord) => {
      assertMatches(ifMatch, toMailing(current));
    };
    await this.mailings.delete(actor, id, ifMatch === undefined ? undefined : check);
  }
}
