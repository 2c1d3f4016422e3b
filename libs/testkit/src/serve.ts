import { SERVICES, startTestServices } from './test-services.js';

/**
 * The services of a test run in a process of their own, those that its arguments name: prints one
 * line of JSON with the environment that the tests need, and stops when its standard input ends, so
 * that nothing is left behind even if the test runner is killed.
 */
async function serve(): Promise<void> {
  const words = process.argv.slice(2);
  const services = await startTestServices(SERVICES.filter((service) => words.includes(service)));
  process.stdin.resume();
  process.stdin.once('end', () => {
    void services.stop().then(() => process.exit(0));
  });
  process.stdout.write(`${JSON.stringify(services.environment)}\n`);
}

void serve();
