import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiCreatedResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { Actor } from '@app/audit';
import { ApiKeyService } from '@app/identity';
import { CurrentActor } from '../../http/auth/caller.js';
import { MinRole } from '../../http/auth/min-role.js';
import { parseInstant } from '../../http/fields/instants.js';
import { Refuses } from '../../http/openapi/refuses.js';
import { PageQueryDto } from '../../http/pagination/page-query.dto.js';
import { IdPipe } from '../../http/input/id.pipe.js';
import { CreatedTokenDto, CreateTokenDto, TokenPageDto } from './token.dto.js';
import { toCreatedToken, toToken } from './token.mapper.js';

@ApiTags('tokens')
@Controller('tokens')
@MinRole('admin')
export class TokensController {
  constructor(private readonly tokens: ApiKeyService) {}

  /** Make an API key. Only this answer has the key. */
  @Post()
  @ApiCreatedResponse({
    type: CreatedTokenDto,
    headers: {
      'Cache-Control': {
        description: 'The answer holds a secret',
        required: true,
        schema: { type: 'string', enum: ['no-store'] },
      },
    },
  })
  @Refuses(409, 'There is a key with this name, maybe a revoked one', 'name_taken')
  async create(
    @CurrentActor() actor: Actor,
    @Body() body: CreateTokenDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<CreatedTokenDto> {
    const expiresAt = body.expiresAt === undefined ? null : parseInstant(body.expiresAt);
    const { key, stored } = await this.tokens.create(actor, { ...body, expiresAt });
    void reply.header('location', `/tokens/${stored.id}`).header('cache-control', 'no-store');
    return toCreatedToken(stored, key);
  }

  /** List the API keys, newest first, revoked ones too. */
  @Get()
  async list(@Query() query: PageQueryDto): Promise<TokenPageDto> {
    const { items, nextCursor } = await this.tokens.list(query.limit, query.cursor);
    return { items: items.map(toToken), nextCursor };
  }

  /** Revoke an API key. It stops working at once, with other API processes within seconds. */
  @Delete(':id')
  @HttpCode(204)
  async revoke(@CurrentActor() actor: Actor, @Param('id', IdPipe) id: number): Promise<void> {
    await this.tokens.revoke(actor, id);
  }
}
