/** The first signal stops everything in order; the second one does not wait for it. */
export function stopOnSignals(stop: () => void): void {
  let stopping = false;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (stopping) process.exit(130); // the keeper sees to the rest
      stopping = true;
      stop();
    });
  }
  // A terminal that is gone, or a pipe that nobody reads any more.
  process.stdout.on('error', stop);
}
