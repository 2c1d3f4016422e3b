import { Controller, HttpCode, Param, Post } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { Actor } from '@app/audit';
import { MailingControlService } from '@app/mailings';
import { CurrentActor } from '../../http/auth/caller.js';
import { Refuses } from '../../http/openapi/refuses.js';
import { IdPipe } from '../../http/input/id.pipe.js';
import { MailingDto, ReopenedDto } from './mailing.dto.js';
import { toMailing } from './mailing.mapper.js';

/** Messages that are not being sent when the answer comes follow the new state. */
@ApiTags('mailings')
@Controller('mailings/:id')
export class MailingControlController {
  constructor(private readonly control: MailingControlService) {}

  /** Pause a mailing. Nothing more is sent until it is resumed; its end does not change. */
  @Post('pause')
  @HttpCode(200)
  @ApiOkResponse({ type: MailingDto })
  @Refuses(409, 'The mailing is neither running nor paused', 'mailing_status')
  async pause(@CurrentActor() actor: Actor, @Param('id', IdPipe) id: number): Promise<MailingDto> {
    return toMailing(await this.control.pause(actor, id));
  }

  /** Resume a paused mailing. */
  @Post('resume')
  @HttpCode(200)
  @ApiOkResponse({ type: MailingDto })
  @Refuses(409, 'The mailing is neither paused nor running', 'mailing_status')
  async resume(@CurrentActor() actor: Actor, @Param('id', IdPipe) id: number): Promise<MailingDto> {
    return toMailing(await this.control.resume(actor, id));
  }

  /** Cancel a mailing for good. What was not sent yet becomes `cancelled`. */
  @Post('cancel')
  @HttpCode(200)
  @ApiOkResponse({ type: MailingDto })
  @Refuses(409, 'The mailing has completed', 'mailing_status')
  async cancel(@CurrentActor() actor: Actor, @Param('id', IdPipe) id: number): Promise<MailingDto> {
    return toMailing(await this.control.cancel(actor, id));
  }

  /** Send failed messages again. A completed mailing runs again for them. */
  @Post('retry-failed')
  @HttpCode(200)
  @ApiOkResponse({ type: ReopenedDto })
  @Refuses(
    409,
    'The mailing is scheduled or cancelled, or its end has passed',
    'mailing_status',
    'mailing_ended',
  )
  async retryFailed(
    @CurrentActor() actor: Actor,
    @Param('id', IdPipe) id: number,
  ): Promise<ReopenedDto> {
    return { reopened: await this.control.retryFailed(actor, id) };
  }

  /**
   * Send messages of unknown outcome again. Nobody knows whether they arrived: each of them can reach
   * its client twice.
   */
  @Post('resend-unknown')
  @HttpCode(200)
  @ApiOkResponse({ type: ReopenedDto })
  @Refuses(
    409,
    'The mailing is scheduled or cancelled, or its end has passed',
    'mailing_status',
    'mailing_ended',
  )
  async resendUnknown(
    @CurrentActor() actor: Actor,
    @Param('id', IdPipe) id: number,
  ): Promise<ReopenedDto> {
    return { reopened: await this.control.resendUnknown(actor, id) };
  }
}
