import type { ApiKey } from '@app/database';
import type { CreatedTokenDto, TokenDto } from './token.dto.js';

export function toToken(key: ApiKey): TokenDto {
  return {
    id: key.id,
    name: key.name,
    role: key.role,
    expiresAt: key.expiresAt?.toISOString() ?? null,
    revokedAt: key.revokedAt?.toISOString() ?? null,
    createdAt: key.createdAt.toISOString(),
  };
}

export function toCreatedToken(key: ApiKey, token: string): CreatedTokenDto {
  return { ...toToken(key), token };
}
