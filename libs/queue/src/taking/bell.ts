/** Notifies of jobs that were added to the lanes' queues. It may miss some: lanes are looked at as well. */
export interface Bell {
  /** A lane fell asleep, and has to be notified of jobs. */
  watch(): void;
  /** The notified lane cannot take the jobs: another process is to be notified. */
  passOn(lane: string): void;
  close(): Promise<void>;
}

export interface BellOptions {
  /** The lanes that are to be notified. */
  asleep: () => string[];
  /** @param dueAt when the jobs can be taken, Unix time in ms; undefined: now */
  ring: (lane: string, dueAt?: number) => void;
  /** It may have missed something. */
  ringAll: () => void;
  onError: (error: unknown) => void;
}
