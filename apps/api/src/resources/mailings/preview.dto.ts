/** When the clients of one timezone can first be reached. */
export class PreviewSlotDto {
  /** @example "Europe/Moscow" */
  timezone: string;

  /**
   * Matching clients in this timezone.
   * @example 1200
   */
  clients: number;

  /**
   * Null: they cannot be reached before the end.
   * @example "2030-03-01T06:00:00.000Z"
   */
  opensAt: Date | null;

  /** @example "2030-03-01T18:00:00.000Z" */
  closesAt: Date | null;
}

/** The message as one matching client would get it. */
export class PreviewSampleDto {
  /** @example 7 */
  clientId: number;

  /** @example "79161234567" */
  phone: string;

  /** @example "Europe/Moscow" */
  timezone: string;

  /** @example "Everything at half price until Sunday." */
  text: string;
}

/** What a mailing would do if it were created now. */
export class PreviewDto {
  /**
   * Clients that match.
   * @example 1250
   */
  audience: number;

  /**
   * Of these: how many can never be reached before the end.
   * @example 50
   */
  unreachable: number;

  /** Per timezone, biggest first. */
  slots: PreviewSlotDto[];

  /** Null when nobody matches. */
  sample: PreviewSampleDto | null;
}
