/** What a mailing says, as its channel understands it: one JSON object for each version of a mailing. */
export type Content = Readonly<Record<string, unknown>>;

/** The fields that a channel knows, and what each of them may be. */
export interface ContentSchema {
  /**
   * Only what the channel knows of it.
   *
   * @throws TypeError that says which field is wrong.
   */
  read(value: unknown): Content;
}
