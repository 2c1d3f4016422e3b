import { readdirSync, readFileSync } from 'node:fs';

const MB = 1024;
/** Clock ticks per second in /proc; the same on every Linux that Node runs on. */
const TICKS = 100;

/** The most memory that a process ever held, MB of RSS. */
export function peakRss(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
  if (kilobytes === undefined) throw new Error(`process ${pid} has no memory figure`);
  return Number(kilobytes) / MB;
}

/** CPU time that a process and its children have used so far, s. */
export function cpuSeconds(pid: number): number {
  const own = statOf(pid);
  if (!own) return 0;
  const children = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => statOf(Number(name)))
    .filter((stat) => stat?.parent === pid);
  const living = children.reduce((sum, stat) => sum + (stat?.used ?? 0), 0);
  return (own.used + own.ended + living) / TICKS;
}

/** `used`: ticks of the process itself; `ended`: of its children that have exited. */
function statOf(pid: number): { parent: number; used: number; ended: number } | null {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return null; // it ended meanwhile
  }
  // The name in brackets may contain anything, so the fields are counted from its end.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const field = (number: number) => Number(fields[number - 3]);
  return { parent: field(4), used: field(14) + field(15), ended: field(16) + field(17) };
}
