import { Controller, Get, Param } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { ContentsService } from '@app/mailings';
import { IdPipe } from '../../http/input/id.pipe.js';
import { ContentVersionDto } from './content.dto.js';
import { toContentVersion } from './mailing.mapper.js';

@ApiTags('mailings')
@Controller('mailings/:id/contents')
export class MailingContentsController {
  constructor(private readonly contents: ContentsService) {}

  /** Read a version of a mailing's content. A change of its text makes a new version; no version changes. */
  @Get(':version')
  @ApiOkResponse({ type: ContentVersionDto })
  async get(
    @Param('id', IdPipe) id: number,
    @Param('version', IdPipe) version: number,
  ): Promise<ContentVersionDto> {
    return toContentVersion(await this.contents.get(id, version));
  }
}
