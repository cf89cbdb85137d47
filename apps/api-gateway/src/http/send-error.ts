import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Logger, redactCredentials } from '@glimpse/observability';
import { renderError } from './error-body.js';
import { answerFor } from './error-response.js';
import { sendExactly } from './send-exactly.js';

/** Answers a request with an error, in the form it accepts. What nobody foresaw is logged with its stack. */
export function sendError(
  request: FastifyRequest,
  reply: FastifyReply,
  error: unknown,
  logger: Logger,
): void {
  const { status, explanation, headers } = answerFor(error);
  if (status === 500)
    logger.error(
      { err: error, method: request.method, url: redactCredentials(request.url) },
      'request failed',
    );
  else if (status === 503)
    logger.warn({ err: error, method: request.method, url: redactCredentials(request.url) }, 'unavailable');

  const { contentType, body } = renderError(
    request.headers.accept,
    status,
    // It may repeat what was sent: a location, for one.
    redactCredentials(explanation),
  );
  reply.code(status).headers(headers);
  if (request.method === 'HEAD') {
    void reply.header('content-length', '0').send();
    return;
  }
  sendExactly(reply, contentType, body);
}
