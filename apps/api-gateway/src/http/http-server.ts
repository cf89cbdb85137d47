import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Config } from '@glimpse/config';
import type { Logger } from '@glimpse/observability';
import { acceptedLabels } from '../discovery/versions.js';
import { routeUrl } from '../discovery/route-url.js';
import { type RequestHookOptions, requestHook } from './request.hook.js';
import { accessLogHook } from './access-log.hook.js';
import { bodyHook } from './body.hook.js';
import { corsHook } from './cors.hook.js';
import { renderError } from './error-body.js';
import { noteExpectation } from './expect-continue.js';
import { GlimpseAdapter } from './glimpse.adapter.js';
import { requestIdOf } from './request-id.js';
import { sendError } from './send-error.js';
import { discardUnreadBody } from './unread-body.js';

/** Longer than what a client waits before it reuses a connection, so that it never meets one that is being closed. */
const KEEP_ALIVE_MS = 75_000;
/** Node's own bound on the head of a request: no segment of a path is longer. */
const MAX_PARAMETER_LENGTH = 16_384;

/** What is left to say to a client whose request could not even be parsed. */
function refuseUnparsable(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const status =
    error.code === 'HPE_HEADER_OVERFLOW' ? 431 : error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400;
  const { contentType, body } = renderError(undefined, status, 'The request is malformed.');
  const [statusLine] = body.split('\n');
  socket.end(
    `HTTP/1.1 ${statusLine}\r\nContent-Type: ${contentType}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}

/** Lets the handler decide whether a client that asks first may send its body. */
function deferContinue(server: Server): void {
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    noteExpectation(request, response);
    server.emit('request', request, response);
  });
}

/** Fastify behind NestJS, with what holds for every request. */
export function createHttpAdapter(config: Config, logger: Logger, hooks: RequestHookOptions): GlimpseAdapter {
  const labels = acceptedLabels(config);
  const adapter = new GlimpseAdapter({
    exposeHeadRoutes: false,
    genReqId: requestIdOf,
    rewriteUrl: (request) => routeUrl(request.url ?? '/', request.headers.accept, labels),
    // Image data takes as long as it takes; idle-watch.ts ends what stalls.
    requestTimeout: 0,
    trustProxy: [...config.http.trustedProxies],
    keepAliveTimeout: KEEP_ALIVE_MS,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: MAX_PARAMETER_LENGTH },
    frameworkErrors: (error, request, reply) => sendError(request, reply, error, logger),
    clientErrorHandler: refuseUnparsable,
  });
  const fastify = adapter.getInstance();
  fastify.decorateRequest('caller', null);
  fastify.decorateRequest('identifyAgain');
  fastify.addHook('onRequest', accessLogHook(logger));
  fastify.addHook('onRequest', corsHook(config.cors));
  fastify.addHook('onRequest', requestHook(hooks));
  fastify.addHook('preHandler', bodyHook(config.http));
  fastify.addHook('onResponse', (request, _reply, done) => {
    discardUnreadBody(request.raw);
    done();
  });
  deferContinue(fastify.server);
  return adapter;
}
