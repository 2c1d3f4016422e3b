/** SIGUSR2 keeps the event loop busy for 40 s: no timer fires, no socket is read. */
const BLOCK_MS = 40_000;

process.on('SIGUSR2', () => {
  const until = performance.now() + BLOCK_MS;
  while (performance.now() < until);
});
