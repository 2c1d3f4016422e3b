import { accessSync, constants } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import type { Environment } from '@app/testkit';

/** What a process of ours loads before itself, from the folder `preload`; tests only. */
export type Preload =
  | 'block-event-loop'
  | 'full-log'
  | 'lane-sabotage'
  | 'queue-sabotage'
  | 'rate-sabotage'
  | 'report-memory'
  | 'sabotage'
  | 'sabotage-tasks'
  | 'second-channel'
  | 'session-sabotage'
  | 'shift-clock';

export function preload(...names: Preload[]): Environment {
  const paths = names.map((name) => `--require ${resolve(`dist/test/faults/preload/${name}.js`)}`);
  return { NODE_OPTIONS: paths.join(' ') };
}

/** Whether there is such a command. */
export function isInstalled(command: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, command), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
