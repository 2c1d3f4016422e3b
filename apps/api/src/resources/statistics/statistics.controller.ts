import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { StatisticsService } from '@app/mailings';
import { PageQueryDto } from '../../http/pagination/page-query.dto.js';
import { IdPipe } from '../../http/input/id.pipe.js';
import { GeneralStatisticsDto, MailingStatisticsDto } from './statistics.dto.js';

@ApiTags('statistics')
@Controller('mailings')
export class StatisticsController {
  constructor(private readonly statistics: StatisticsService) {}

  /** Count messages by status, over all mailings and per mailing. */
  @Get('statistics')
  @ApiOkResponse({ type: GeneralStatisticsDto })
  general(@Query() query: PageQueryDto): Promise<GeneralStatisticsDto> {
    return this.statistics.general(query);
  }

  /** Read a mailing's counts, speed, forecast of the end, and errors by reason. */
  @Get(':id/statistics')
  @ApiOkResponse({ type: MailingStatisticsDto })
  mailing(@Param('id', IdPipe) id: number): Promise<MailingStatisticsDto> {
    return this.statistics.mailing(id);
  }
}
