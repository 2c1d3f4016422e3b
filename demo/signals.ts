/** The first signal stops everything in order; the second one does not wait for it. */
export function stopOnSignals(stop: () => void): void {
  let stopping = false;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (stopping) process.exit(130); // the keeper stops the rest
      stopping = true;
      stop();
    });
  }
  // A closed terminal, or a pipe without a reader.
  process.stdout.on('error', stop);
}
