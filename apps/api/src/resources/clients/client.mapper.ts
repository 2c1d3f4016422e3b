import type { ClientMessageRow, ClientRow } from '@app/directory';
import type { ClientDto, ClientMessageDto } from './client.dto.js';

export function toClient({ id, phone, operatorCode, tags, timezone }: ClientRow): ClientDto {
  return { id, phone, operatorCode, tags, timezone };
}

export function toClientMessage(row: ClientMessageRow): ClientMessageDto {
  const { createdAt, sentAt } = row;
  return {
    ...row,
    createdAt: createdAt.toISOString(),
    sentAt: sentAt?.toISOString() ?? null,
  };
}
