import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Param,
  Patch,
  Post,
  Query,
  Res,
} from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { TagsService } from '@app/mailing';
import { Refuses } from '../openapi/refuses.js';
import { PageQueryDto } from '../pagination/page-query.dto.js';
import { IdPipe } from '../server/id.pipe.js';
import { TagDto, TagPageDto, WriteTagDto } from './tag.dto.js';

const NAME_TAKEN = 'There is another tag with this name';
const IN_USE = 'A mailing that has yet to find its audience names it; `errors` says which';

@ApiTags('tags')
@Controller('tags')
export class TagsController {
  constructor(private readonly tags: TagsService) {}

  /** Make a tag. */
  @Post()
  @Refuses(409, NAME_TAKEN)
  async create(
    @Body() { name }: WriteTagDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<TagDto> {
    const tag = await this.tags.create(name);
    void reply.header('location', `/tags/${tag.id}`);
    return tag;
  }

  /** List tags in order of id. */
  @Get()
  async list(@Query() query: PageQueryDto): Promise<TagPageDto> {
    return this.tags.list(query.limit, query.cursor);
  }

  /** Read a tag. */
  @Get(':id')
  async read(@Param('id', IdPipe) id: number): Promise<TagDto> {
    return this.tags.get(id);
  }

  /**
   * Rename a tag, on every client that has it and in the filter of every mailing that has yet to
   * find its audience. Filters of other mailings keep the name under which they found it.
   */
  @Patch(':id')
  @Refuses(409, NAME_TAKEN)
  async rename(@Param('id', IdPipe) id: number, @Body() { name }: WriteTagDto): Promise<TagDto> {
    return this.tags.rename(id, name);
  }

  /** Delete a tag, and take it from every client that has it. */
  @Delete(':id')
  @HttpCode(204)
  @Refuses(409, IN_USE)
  async delete(@Param('id', IdPipe) id: number): Promise<void> {
    await this.tags.delete(id);
  }
}
