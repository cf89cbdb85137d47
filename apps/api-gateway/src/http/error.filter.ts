import { type ArgumentsHost, Catch, type ExceptionFilter, NotFoundException } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from '@glimpse/observability';
import { HttpError, routeNotFound } from './http-error.js';
import { sendError } from './send-error.js';

const IMPLEMENTED = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']);

/** Of a path that does not exist, NestJS says only that: a strange method on it is a 501. */
function missingRoute(request: FastifyRequest): HttpError {
  return IMPLEMENTED.has(request.method)
    ? routeNotFound()
    : new HttpError(501, `The method ${request.method} is not implemented.`);
}

/** Turns whatever a handler throws into its answer; the one filter of the gateway. */
@Catch()
export class ErrorFilter implements ExceptionFilter {
  constructor(private readonly logger: Logger) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const reply = http.getResponse<FastifyReply>();
    if (reply.sent) {
      this.logger.error({ err: error }, 'failed after the answer had begun');
      reply.raw.destroy();
      return;
    }
    const request = http.getRequest<FastifyRequest>();
    const cause = error instanceof NotFoundException ? missingRoute(request) : error;
    sendError(request, reply, cause, this.logger);
  }
}
