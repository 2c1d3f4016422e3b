import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** SIGUSR2 collects garbage and writes to stderr what is left: `memory <bytes>`. */
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

process.on('SIGUSR2', () => {
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  process.stderr.write(`memory ${heapUsed + external}\n`);
});
