import { closeSync, openSync } from 'node:fs';

/** SIGUSR2 puts a full disk in the place of stdout: the lowest free descriptor is the one just closed. */
process.on('SIGUSR2', () => {
  closeSync(1);
  if (openSync('/dev/full', 'w') !== 1) throw new Error('stdout is somebody else’s');
});
