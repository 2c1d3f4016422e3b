import { Counter, Gauge, metrics } from '@app/platform';

export const jobsFed = new Counter({
  name: 'posthorn_jobs_fed_total',
  help: 'Jobs that beat put into the queue, by lane',
  labelNames: ['lane'],
  registers: [metrics],
});

export const queueWaiting = new Gauge({
  name: 'posthorn_queue_waiting_jobs',
  help: 'Jobs in the queue that no worker has taken, as beat last saw it, by lane',
  labelNames: ['lane'],
  registers: [metrics],
});

export const breakerOpen = new Gauge({
  name: 'posthorn_breaker_open',
  help: 'Whether the breaker of a lane holds its messages back (1) or not (0), as the leading beat last saw it',
  labelNames: ['lane'],
  registers: [metrics],
});
