import type { FastifyInstance } from 'fastify';
import { Histogram, metrics } from '@app/platform';

const duration = new Histogram({
  name: 'posthorn_http_request_duration_seconds',
  help: 'Time from the request to the end of its answer, by route pattern and status',
  labelNames: ['method', 'route', 'status'],
  buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  registers: [metrics],
});

/** Counts by the route's pattern, never by the URL: there are few patterns and many ids. */
export function measureRequests(server: FastifyInstance): void {
  server.addHook('onResponse', (request, reply, done) => {
    const route = request.is404 ? 'unknown' : (request.routeOptions.url ?? 'unknown');
    const { method } = request;
    duration.observe({ method, route, status: reply.statusCode }, reply.elapsedTime / 1000);
    done();
  });
}
