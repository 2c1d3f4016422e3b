import type { ClientMessageRow, ClientRow } from '@app/mailing';
import type { ClientDto, ClientMessageDto } from './client.dto.js';

export function toClient({ id, phone, operatorCode, tags, timezone }: ClientRow): ClientDto {
  return { id, phone, operatorCode, tags, timezone };
}

export function toClientMessage(row: ClientMessageRow): ClientMessageDto {
  return { ...row, sentAt: row.sentAt?.toISOString() ?? null };
}
