import type { Socket } from 'node:net';
import type { Faults } from './faults/faults.js';
import type { FaultSettings } from './faults/settings.js';
import type { Listener } from './listener.js';

/** Puts fault settings into force, the listening port of the provider included. */
export class Refusal {
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly provider: Listener,
    private readonly faults: Faults,
    private readonly onReopenFailed: (error: unknown) => void,
  ) {}

  /**
   * When this resolves, the port is closed or open as the settings say.
   *
   * @param asking the connection that carries the request for it; it stays open for the answer.
   */
  async apply(settings: FaultSettings, asking?: Socket): Promise<void> {
    const { refuse } = settings;
    clearTimeout(this.timer);
    this.faults.put(settings);
    if (refuse === false) {
      await this.provider.reopen();
      return;
    }
    this.provider.cut(asking);
    if (refuse !== true) this.timer = setTimeout(() => void this.end(), refuse.forMs);
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  private async end(): Promise<void> {
    try {
      await this.provider.reopen();
      this.faults.endRefusal();
    } catch (error) {
      this.onReopenFailed(error);
    }
  }
}
