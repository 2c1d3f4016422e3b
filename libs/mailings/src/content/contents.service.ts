import type { Database } from '@app/database';
import { DomainError } from '@app/platform';
import { type ContentVersion, readContentVersion } from './contents.queries.js';

/** The versions of mailings' contents: each message has the number of the version that it got. */
export class ContentsService {
  constructor(private readonly database: Database) {}

  /** @throws DomainError `not_found` when there is no such mailing or version. */
  async get(mailingId: number, version: number): Promise<ContentVersion> {
    const found = await readContentVersion(this.database.pool, mailingId, version);
    if (found) return found;
    throw new DomainError(
      'not_found',
      `There is no version ${version} of what mailing ${mailingId} says`,
    );
  }
}
