import type { Options, PartName } from './options.js';
import type { Servers } from './stack/servers.js';

/** What a part has to work with. */
export interface Bench {
  options: Options;
  servers: Servers;
  /** One line of progress. */
  say: (line: string) => void;
  /** Whether there is time for another repetition: always, but for --quick. */
  hasTime: () => boolean;
}

export interface PartResult {
  /** For the line of JSON. */
  figures: Record<string, unknown>;
  /** Its chapter in docs/performance.md, below the heading. */
  chapter: string;
}

/** One question that the bench answers. */
export interface Part {
  name: PartName;
  heading: string;
  /** Takes minutes: left out with --quick. */
  long: boolean;
  needsRedis: boolean;
  run: (bench: Bench) => Promise<PartResult>;
}
