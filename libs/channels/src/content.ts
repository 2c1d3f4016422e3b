/** The content of a mailing, by its channel's schema: one JSON object for each version of a mailing. */
export type Content = Readonly<Record<string, unknown>>;

/** The fields that a channel knows, and what each of them may be. */
export interface ContentSchema {
  /**
   * Reads the fields that the channel knows.
   *
   * @throws TypeError that says which field is wrong.
   */
  read(value: unknown): Content;
}
