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
import { ClientsService } from '@app/directory';
import type { IdempotentRequest } from '@app/idempotency';
import { CurrentActor } from '../../http/auth/caller.js';
import { Idempotent, IdempotencyKey, tellReplayed } from '../../http/idempotency/idempotent.js';
import { Refuses } from '../../http/openapi/refuses.js';
import { PageQueryDto } from '../../http/pagination/page-query.dto.js';
import { IdPipe } from '../../http/input/id.pipe.js';
import { type IfMatch, assertMatches } from '../../http/versions/entity-tag.js';
import { refuseReadOnlyChanges } from '../../http/versions/read-only.js';
import { IfMatchHeader, TakesIfMatch, Versioned } from '../../http/versions/versioned.js';
import {
  ChangeClientDto,
  ClientDto,
  ClientMessagePageDto,
  ClientPageDto,
  ClientQueryDto,
  ReplaceClientDto,
  WriteClientDto,
} from './client.dto.js';
import { toClient, toClientMessage } from './client.mapper.js';

const PHONE_TAKEN = 'There is another client with this phone';

function tellLocation(reply: FastifyReply, { id }: { id: number }): void {
  void reply.header('location', `/clients/${id}`);
}

@ApiTags('clients')
@Controller('clients')
export class ClientsController {
  constructor(private readonly clients: ClientsService) {}

  /** Add a client to the directory. Tags that do not exist yet are made. */
  @Post()
  @Idempotent({ service: ClientsService, toDto: toClient, tell: tellLocation })
  @Versioned()
  @Refuses(
    409,
    `${PHONE_TAKEN}, or the client that this Idempotency-Key made has been deleted`,
    'phone_taken',
    'idempotent_resource_deleted',
  )
  @Refuses(422, 'The Idempotency-Key was used with another body', 'idempotency_key_reused')
  async create(
    @CurrentActor() actor: Actor,
    @Body() body: WriteClientDto,
    @IdempotencyKey() request: IdempotentRequest | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ClientDto> {
    const { resource, replayed } = await this.clients.create(actor, body, request);
    tellLocation(reply, resource);
    tellReplayed(reply, replayed);
    return toClient(resource);
  }

  /** List clients in order of id. */
  @Get()
  async list(@Query() { limit, cursor, ...filter }: ClientQueryDto): Promise<ClientPageDto> {
    const { items, nextCursor } = await this.clients.list(filter, limit, cursor);
    return { items: items.map(toClient), nextCursor };
  }

  /** Read a client. */
  @Get(':id')
  @Versioned()
  async read(@Param('id', IdPipe) id: number): Promise<ClientDto> {
    return toClient(await this.clients.get(id));
  }

  /** Replace a client. What is left out gets its default, as for a new one. */
  @Put(':id')
  @Versioned()
  @TakesIfMatch()
  @Refuses(409, PHONE_TAKEN, 'phone_taken')
  async replace(
    @CurrentActor() actor: Actor,
    @Param('id', IdPipe) id: number,
    @Body() body: ReplaceClientDto,
    @IfMatchHeader() ifMatch: IfMatch | undefined,
  ): Promise<ClientDto> {
    const client = await this.clients.replace(actor, id, body, (current) => {
      assertMatches(ifMatch, toClient(current));
      refuseReadOnlyChanges(body, toClient(current));
    });
    return toClient(client);
  }

  /** Change parts of a client. What is left out stays as it is. */
  @Patch(':id')
  @Versioned()
  @TakesIfMatch()
  @Refuses(409, PHONE_TAKEN, 'phone_taken')
  async change(
    @CurrentActor() actor: Actor,
    @Param('id', IdPipe) id: number,
    @Body() body: ChangeClientDto,
    @IfMatchHeader() ifMatch: IfMatch | undefined,
  ): Promise<ClientDto> {
    const client = await this.clients.change(actor, id, body, (current) => {
      assertMatches(ifMatch, toClient(current));
    });
    return toClient(client);
  }

  /**
   * Delete a client. Its waiting messages are cancelled (`unknown` where an attempt was never
   * confirmed); what is already under way is not called back. The history stays in the mailings,
   * without the phone.
   */
  @Delete(':id')
  @HttpCode(204)
  @TakesIfMatch()
  async delete(
    @CurrentActor() actor: Actor,
    @Param('id', IdPipe) id: number,
    @IfMatchHeader() ifMatch: IfMatch | undefined,
  ): Promise<void> {
    await this.clients.delete(actor, id, (current) => {
      assertMatches(ifMatch, toClient(current));
    });
  }

  /** List what the mailings did for a client, newest mailing first. */
  @Get(':id/messages')
  async messages(
    @Param('id', IdPipe) id: number,
    @Query() query: PageQueryDto,
  ): Promise<ClientMessagePageDto> {
    const { items, nextCursor } = await this.clients.messages(id, query.limit, query.cursor);
    return { items: items.map(toClientMessage), nextCursor };
  }
}
