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
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { Actor } from '@app/audit';
import { TagsService } from '@app/directory';
import type { IdempotentRequest } from '@app/idempotency';
import { CurrentActor } from '../../http/auth/caller.js';
import { Idempotent, IdempotencyKey, tellReplayed } from '../../http/idempotency/idempotent.js';
import { Refuses } from '../../http/openapi/refuses.js';
import { PageQueryDto } from '../../http/pagination/page-query.dto.js';
import { IdPipe } from '../../http/input/id.pipe.js';
import { type IfMatch, assertMatches } from '../../http/versions/entity-tag.js';
import { refuseReadOnlyChanges } from '../../http/versions/read-only.js';
import { IfMatchHeader, TakesIfMatch, Versioned } from '../../http/versions/versioned.js';
import { ReplaceTagDto, TagDto, TagPageDto, WriteTagDto } from './tag.dto.js';

const NAME_TAKEN = 'There is another tag with this name';
const IN_USE = 'A mailing that has yet to find its audience names it; `errors` says which';

function tellLocation(reply: FastifyReply, { id }: { id: number }): void {
  void reply.header('location', `/tags/${id}`);
}

@ApiTags('tags')
@Controller('tags')
export class TagsController {
  constructor(private readonly tags: TagsService) {}

  /** Make a tag. */
  @Post()
  @Idempotent({ service: TagsService, toDto: (tag: TagDto) => tag, tell: tellLocation })
  @Versioned()
  @Refuses(
    409,
    `${NAME_TAKEN}, or the tag that this Idempotency-Key made has been deleted`,
    'name_taken',
    'idempotent_resource_deleted',
  )
  @Refuses(422, 'The Idempotency-Key was used with another body', 'idempotency_key_reused')
  async create(
    @CurrentActor() actor: Actor,
    @Body() { name }: WriteTagDto,
    @IdempotencyKey() request: IdempotentRequest | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<TagDto> {
    const { resource, replayed } = await this.tags.create(actor, name, request);
    tellLocation(reply, resource);
    tellReplayed(reply, replayed);
    return resource;
  }

  /** List tags in order of id. */
  @Get()
  async list(@Query() query: PageQueryDto): Promise<TagPageDto> {
    return this.tags.list(query.limit, query.cursor);
  }

  /** Read a tag. */
  @Get(':id')
  @Versioned()
  async read(@Param('id', IdPipe) id: number): Promise<TagDto> {
    return this.tags.get(id);
  }

  /**
   * Rename a tag. The name changes on every client that has it and in the filter of every mailing that
   * has yet to find its audience. Filters of other mailings keep the name under which they found it.
   */
  @Patch(':id')
  @Versioned()
  @TakesIfMatch()
  @Refuses(409, NAME_TAKEN, 'name_taken')
  async rename(
    @CurrentActor() actor: Actor,
    @Param('id', IdPipe) id: number,
    @Body() { name }: WriteTagDto,
    @IfMatchHeader() ifMatch: IfMatch | undefined,
  ): Promise<TagDto> {
    return this.tags.rename(actor, id, name, (current) => {
      assertMatches(ifMatch, current);
    });
  }

  /** Replace a tag. It has a name only, so this is what PATCH does. */
  @Put(':id')
  @Versioned()
  @TakesIfMatch()
  @Refuses(409, NAME_TAKEN, 'name_taken')
  async replace(
    @CurrentActor() actor: Actor,
    @Param('id', IdPipe) id: number,
    @Body() body: ReplaceTagDto,
    @IfMatchHeader() ifMatch: IfMatch | undefined,
  ): Promise<TagDto> {
    return this.tags.rename(actor, id, body.name, (current) => {
      assertMatches(ifMatch, current);
      refuseReadOnlyChanges(body, current);
    });
  }

  /** Delete a tag, and take it from every client that has it. */
  @Delete(':id')
  @HttpCode(204)
  @TakesIfMatch()
  @Refuses(409, IN_USE, 'tag_in_use')
  async delete(
    @CurrentActor() actor: Actor,
    @Param('id', IdPipe) id: number,
    @IfMatchHeader() ifMatch: IfMatch | undefined,
  ): Promise<void> {
    await this.tags.delete(actor, id, (current) => {
      assertMatches(ifMatch, current);
    });
  }
}
