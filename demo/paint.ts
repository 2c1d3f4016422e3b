import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

/** Colour only where it can be seen: on a terminal, and not with NO_COLOR. */
export function paint(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout });
}

export const thousands = (count: number) => count.toLocaleString('en-US');
export const seconds = (ms: number) => `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;

export function line(text = ''): void {
  process.stdout.write(`${text}\n`);
}

/** `  ✔ name      what` */
export function done(name: string, what: string): void {
  line(`  ${paint('green', '✔')} ${name.padEnd(12)}${what}`);
}
