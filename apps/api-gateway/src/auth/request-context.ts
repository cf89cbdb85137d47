import type { FastifyRequest } from 'fastify';
import type { Caller } from '@glimpse/contracts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set before any handler of the API runs; null on the routes that need no identity. */
    caller: Caller | null;
  }
}

/** Who makes this request. */
export function callerOf(request: FastifyRequest): Caller {
  if (request.caller === null) throw new Error(`No caller on ${request.url}: the route is not under /v2`);
  return request.caller;
}
