import { renderMetrics } from '@glimpse/observability';
import { fastify } from 'fastify';
import { type HealthChecks, checkReadiness } from './health.js';
import type { RunningService } from './running-service.js';

/**
 * The HTTP side of a service that has no API of its own: `/livez` (the process answers), `/readyz` (every check
 * passes; 503 with the reasons when not), `/healthcheck` (Glance's short form of readiness) and `/metrics`
 * (Prometheus). Rejects when it can't listen.
 */
export async function startHealthServer(options: {
  host: string;
  /** 0 lets the system choose. */
  port: number;
  checks: HealthChecks;
}): Promise<RunningService & { readonly url: string }> {
  const server = fastify({ forceCloseConnections: true });
  server.get('/livez', () => ({ status: 'ok' }));
  server.get('/readyz', async (_, reply) => {
    const { isReady, checks } = await checkReadiness(options.checks);
    return reply.code(isReady ? 200 : 503).send({ status: isReady ? 'ready' : 'not ready', checks });
  });
  server.get('/healthcheck', async (_, reply) => {
    const { isReady } = await checkReadiness(options.checks);
    return reply
      .code(isReady ? 200 : 503)
      .type('text/plain')
      .send(isReady ? 'OK' : 'NOT READY');
  });
  server.get('/metrics', async (_, reply) => {
    const { contentType, body } = await renderMetrics();
    return reply.type(contentType).send(body);
  });
  const url = await server.listen({ host: options.host, port: options.port });
  return { url, close: () => server.close() };
}
