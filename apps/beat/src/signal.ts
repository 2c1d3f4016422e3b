/** Something has happened that makes work: the tasks that listen run at once. */
export class Signal {
  private readonly listeners = new Set<() => void>();

  on(listener: () => void): void {
    this.listeners.add(listener);
  }

  raise(): void {
    for (const listener of this.listeners) listener();
  }
}
