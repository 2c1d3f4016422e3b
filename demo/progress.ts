import { Presets, SingleBar } from 'cli-progress';
import { line, paint, thousands } from './paint.js';

export interface Progress {
  /** @param count messages that are done with, whatever became of them */
  show(count: number): void;
  stop(): void;
}

/** How much of the past the speed is measured over. */
const SPEED_OVER_MS = 1_500;

/** A live bar on a terminal, a line now and then elsewhere. */
export function createProgress(total: number): Progress {
  return process.stdout.isTTY ? new Bar(total) : new Lines(total);
}

class Bar implements Progress {
  private readonly speed = new Speed();
  private readonly bar: SingleBar;

  constructor(private readonly total: number) {
    this.bar = new SingleBar(
      {
        stream: process.stdout,
        format: `  sending       ${paint('cyan', '{bar}')}  {percentage} %   {count} of {all}   {speed}/s`,
        barsize: 30,
        autopadding: true,
        hideCursor: true,
        fps: 15,
        // Ctrl-C is ours: the processes have to stop first.
        gracefulExit: false,
      },
      Presets.shades_classic,
    );
    this.bar.start(total, 0, { count: '0', all: thousands(total), speed: '0' });
  }

  show(count: number): void {
    if (this.bar.getProgress() === 1 && count === this.total) return; // the speed stays as it was
    const speed = thousands(this.speed.at(count));
    this.bar.update(count, { count: thousands(count), speed });
  }

  stop(): void {
    this.bar.stop();
  }
}

class Lines implements Progress {
  private readonly speed = new Speed();
  private nextAt = 0;
  private last = -1;

  constructor(private readonly total: number) {}

  show(count: number): void {
    const speed = this.speed.at(count);
    const now = performance.now();
    if (count === this.last || (now < this.nextAt && count < this.total)) return;
    this.nextAt = now + 1_000;
    this.last = count;
    const percent = Math.floor((100 * count) / this.total);
    const numbers = `${thousands(count)} of ${thousands(this.total)}`;
    line(`    sending     ${String(percent).padStart(3)} %   ${numbers}   ${thousands(speed)}/s`);
  }

  stop(): void {
    // Every line is complete.
  }
}

/** Messages per second over the last moments. */
class Speed {
  private readonly past: { at: number; count: number }[] = [];

  at(count: number): number {
    const now = performance.now();
    this.past.push({ at: now, count });
    while (this.past.length > 2 && now - (this.past[1]?.at ?? now) > SPEED_OVER_MS)
      this.past.shift();
    const first = this.past[0];
    if (!first || now - first.at < 50) return 0;
    return Math.round((1000 * (count - first.count)) / (now - first.at));
  }
}
