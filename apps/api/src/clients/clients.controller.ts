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
import { ClientsService } from '@app/mailing';
import { Refuses } from '../openapi/refuses.js';
import { PageQueryDto } from '../pagination/page-query.dto.js';
import { IdPipe } from '../server/id.pipe.js';
import {
  ChangeClientDto,
  ClientDto,
  ClientMessagePageDto,
  ClientPageDto,
  ClientQueryDto,
  WriteClientDto,
} from './client.dto.js';
import { toClient, toClientMessage } from './client.mapper.js';

const PHONE_TAKEN = 'There is another client with this phone';

@ApiTags('clients')
@Controller('clients')
export class ClientsController {
  constructor(private readonly clients: ClientsService) {}

  /** Add a client to the directory. Tags that do not exist yet are made. */
  @Post()
  @Refuses(409, PHONE_TAKEN)
  async create(
    @Body() body: WriteClientDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ClientDto> {
    const client = toClient(await this.clients.create(body));
    void reply.header('location', `/clients/${client.id}`);
    return client;
  }

  /** List clients in order of id. */
  @Get()
  async list(@Query() { limit, cursor, ...filter }: ClientQueryDto): Promise<ClientPageDto> {
    const { items, nextCursor } = await this.clients.list(filter, limit, cursor);
    return { items: items.map(toClient), nextCursor };
  }

  /** Read a client. */
  @Get(':id')
  async read(@Param('id', IdPipe) id: number): Promise<ClientDto> {
    return toClient(await this.clients.get(id));
  }

  /** Replace a client. What is left out gets its default, as for a new one. */
  @Put(':id')
  @Refuses(409, PHONE_TAKEN)
  async replace(@Param('id', IdPipe) id: number, @Body() body: WriteClientDto): Promise<ClientDto> {
    return toClient(await this.clients.replace(id, body));
  }

  /** Change parts of a client. What is left out stays as it is. */
  @Patch(':id')
  @Refuses(409, PHONE_TAKEN)
  async change(@Param('id', IdPipe) id: number, @Body() body: ChangeClientDto): Promise<ClientDto> {
    return toClient(await this.clients.change(id, body));
  }

  /**
   * Delete a client. Its waiting messages are cancelled (`unknown` where an attempt was never
   * confirmed); what is already under way is not called back. The history stays in the mailings,
   * without the phone.
   */
  @Delete(':id')
  @HttpCode(204)
  async delete(@Param('id', IdPipe) id: number): Promise<void> {
    await this.clients.delete(id);
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
