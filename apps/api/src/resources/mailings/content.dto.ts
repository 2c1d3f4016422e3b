/** The content of a mailing. */
export class ContentDto {
  /** @example "Everything at half price until Sunday." */
  text: string;
}

/** One version of a mailing's content. */
export class ContentVersionDto {
  /**
   * From 1. A message names in `textVersion` the one that it got.
   * @example 1
   */
  version: number;

  /** @example "2030-02-28T12:00:00.000Z" */
  createdAt: Date;

  content: ContentDto;
}
