/** Two bytes a character: about 256 MB. Beyond it a text is counted but not kept. */
const LIMIT_CHARACTERS = 128_000_000;

/** Each distinct text once: a mailing sends the same text a million times. */
export class Texts {
  private readonly list: string[] = [];
  private readonly numbers = new Map<string, number>();
  private characters = 0;

  /** @returns the text's number from 1, or 0 when there is no room for it. */
  keep(text: string): number {
    const known = this.numbers.get(text);
    if (known !== undefined) return known;
    if (this.characters + text.length > LIMIT_CHARACTERS) return 0;
    this.characters += text.length;
    const number = this.list.push(text);
    this.numbers.set(text, number);
    return number;
  }

  /** @returns null for the number 0. */
  read(number: number): string | null {
    return this.list[number - 1] ?? null;
  }
}
