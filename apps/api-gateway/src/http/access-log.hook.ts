import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Logger, gauge, histogram, metricNames, redactCredentials } from '@glimpse/observability';

const inFlight = gauge({ name: metricNames.httpRequestsInFlight, help: 'HTTP requests being answered.' });
const durations = histogram({
  name: metricNames.httpRequests,
  help: 'Time from the arrival of an HTTP request to the end of its answer.',
  labelNames: ['route', 'method', 'status'],
  buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60, 600],
});

/** Probes come every few seconds and say nothing. */
const QUIET = new Set(['/healthcheck', '/livez', '/readyz', '/metrics']);

/** Counts a request, and writes its access line and metrics when its answer has gone out, or its client has. */
export function accessLogHook(logger: Logger) {
  return (request: FastifyRequest, reply: FastifyReply, done: () => void): void => {
    inFlight.inc();
    // Fastify's own hook knows nothing of clients that go away in the middle of an answer.
    reply.raw.once('close', () => {
      inFlight.dec();
      write(logger, request, reply);
    });
    done();
  };
}

function write(logger: Logger, request: FastifyRequest, reply: FastifyReply): void {
  const route = request.is404 ? 'none' : (request.routeOptions.url ?? 'none');
  const seconds = reply.elapsedTime / 1000;
  durations.observe({ route, method: request.method, status: reply.statusCode }, seconds);
  logger[QUIET.has(route) ? 'debug' : 'info'](
    {
      method: request.method,
      path: redactCredentials(request.originalUrl),
      status: reply.statusCode,
      duration_ms: Math.round(reply.elapsedTime * 10) / 10,
      request_id: request.id,
      // From where, above all where nobody could be told who it was (401).
      address: request.ip,
      ...(request.caller === null
        ? {}
        : { user_id: request.caller.userId, project_id: request.caller.projectId }),
      ...(reply.raw.writableFinished ? {} : { aborted: true }),
    },
    'request',
  );
}
