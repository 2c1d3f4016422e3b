import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { LogStream } from './log-stream.js';

describe('the stream of a log', () => {
  let directory: string;
  let dropped: number;
  const counter = { inc: (lines: number) => void (dropped += lines) };
  const turn = () => new Promise((resolve) => setTimeout(resolve, 50));

  beforeEach(() => {
    dropped = 0;
    directory = mkdtempSync(join(tmpdir(), 'posthorn-log-'));
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  it('writes each line once, in order', async () => {
    const file = join(directory, 'log');
    const fd = openSync(file, 'w');
    const logger = pino({ base: null, timestamp: false }, new LogStream(() => fd, counter));
    for (let n = 0; n < 1_000; n++) logger.info({ n });
    await turn();
    logger.info({ n: 1_000 });
    await turn();
    const lines = readFileSync(file, 'utf8').trim().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { n: number }).n)).toEqual(
      Array.from({ length: 1_001 }, (_, n) => n),
    );
    expect(dropped).toBe(0);
    closeSync(fd);
  });

  it('drops and counts what a full disk refuses, at once and at the end', async () => {
    const fd = openSync('/dev/full', 'w');
    const stream = new LogStream(() => fd, counter);
    for (let n = 0; n < 100; n++) stream.write(`${n}\n`);
    await turn();
    expect(dropped).toBe(100);
    stream.write('last\n');
    stream.flushSync();
    expect(dropped).toBe(101);
    closeSync(fd);
  });

  describe('into a pipe that nobody reads', () => {
    let fd: number;
    let stream: LogStream;
    const line = `${'x'.repeat(999)}\n`;

    beforeEach(() => {
      const pipe = join(directory, 'pipe');
      execFileSync('mkfifo', [pipe]);
      fd = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK);
      stream = new LogStream(() => fd, counter);
    });
    afterEach(async () => {
      closeSync(fd);
      await turn(); // what waits is dropped before the number is another file's
    });

    it('holds a bounded rest and drops the others', async () => {
      for (let n = 0; n < 3_000; n++) stream.write(line);
      await turn();
      expect(dropped).toBeGreaterThan(1_500);
      const before = dropped;
      for (let n = 0; n < 1_000; n++) stream.write(line);
      expect(dropped - before).toBeGreaterThan(900);
    });

    it('does not hold up the end of the process', () => {
      for (let n = 0; n < 500; n++) stream.write(line);
      const startedAt = performance.now();
      stream.flushSync();
      expect(performance.now() - startedAt).toBeLessThan(1_000);
    });

    it('goes on when somebody reads again, says how much is missing, and cuts no line', async () => {
      for (let n = 0; n < 3_000; n++) stream.write(line);
      const parts: string[] = [];
      const buffer = Buffer.alloc(65_536);
      const readAll = async () => {
        for (let empty = 0; empty < 3;) {
          try {
            parts.push(buffer.toString('utf8', 0, readSync(fd, buffer)));
            empty = 0;
          } catch {
            empty++;
            await turn();
          }
        }
      };
      await readAll();
      stream.write('next\n');
      await readAll();
      const lines = parts.join('').trim().split('\n');
      expect(lines.at(-1)).toBe('next');
      const notices = lines.filter((text) => text.startsWith('{'));
      const missing = notices.map((text) => (JSON.parse(text) as { lines: number }).lines);
      expect(missing).toEqual([dropped]);
      expect(lines.filter((text) => text.length === 999)).toHaveLength(3_000 - dropped);
      expect(lines).toHaveLength(3_000 - dropped + 2);
    });
  });
});
