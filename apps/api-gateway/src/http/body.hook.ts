import type { FastifyRequest } from 'fastify';
import { ServiceError } from '@glimpse/contracts';
import type { BodyPolicy } from './body-policy.js';
import { type BodyLimits, hasBody, readJson } from './request-body.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    readonly body?: BodyPolicy;
    /** Set by `LoneRoute`. */
    readonly isLone?: boolean;
  }
}

/**
 * Reads or refuses the bodies of requests, before the handler. Routes that don't exist have theirs parsed too:
 * Glance says 400 to malformed JSON before it says 404 or 405.
 */
export function bodyHook(limits: BodyLimits) {
  return async (request: FastifyRequest): Promise<void> => {
    if (!hasBody(request.raw)) return;
    switch (request.routeOptions.config.body ?? 'json') {
      case 'reject':
        throw new ServiceError('REQUEST_INVALID', 'A body is not expected with this request.');
      case 'json':
        request.body = await readJson(request.raw, limits);
        return;
      case 'ignore':
      case 'own':
    }
  };
}
