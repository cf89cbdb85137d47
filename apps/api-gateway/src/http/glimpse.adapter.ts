import { METHODS, type Server } from 'node:http';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyHttpOptions, FastifyReply, RouteOptions } from 'fastify';
import { HttpError } from './http-error.js';
import { sendExactly } from './send-exactly.js';

const METHOD_ORDER = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** NestJS on Fastify with Glance's manners: exact content types, headers of empty answers, 405s. */
export class GlimpseAdapter extends FastifyAdapter {
  private readonly methodsByPath = new Map<string, Set<string>>();
  private readonly lonePaths = new Set<string>();

  constructor(options: FastifyHttpOptions<Server>) {
    // We have no middleware in Express' style.
    super({ ...options, skipMiddie: true });
    const fastify = this.getInstance();
    // Every method is routed, and no body is parsed behind our back: body.hook.ts is the one place that reads them.
    for (const method of METHODS) fastify.addHttpMethod(method, { hasBody: false, overrideExisting: true });
    fastify.addHook('onRoute', (route) => this.noteRoute(route));
  }

  /** Sends what a handler returned: an object as JSON, nothing as an empty answer. */
  override reply(reply: FastifyReply, body: unknown, status?: number): FastifyReply {
    if (status !== undefined) reply.code(status);
    // What a 304 says of the content would be about the document that it stands for.
    if (body === undefined && reply.statusCode === 304) return reply.send();
    if (body === undefined)
      return reply.header('content-type', 'text/html; charset=UTF-8').header('content-length', '0').send();
    return sendExactly(reply, 'application/json', JSON.stringify(body));
  }

  /** The methods of every path that has a handler, until `refuseOtherMethods` adds the rest. */
  get routes(): { path: string; methods: string[] }[] {
    return [...this.methodsByPath].map(([path, methods]) => ({ path, methods: [...methods] }));
  }

  /** Adds a 405 for every method that a known path does not have. Called when all routes are there. */
  refuseOtherMethods(): void {
    const fastify = this.getInstance();
    const routes = [...this.methodsByPath].map(([url, methods]) => ({
      url,
      others: METHODS.filter((method) => !methods.has(method)),
      allow: METHOD_ORDER.filter((method) => methods.has(method)).join(', '),
    }));
    for (const { url, others, allow } of routes) {
      if (others.length === 0 || this.lonePaths.has(url)) continue;
      fastify.route({
        method: others,
        url,
        handler: (request) => {
          throw new HttpError(405, `The method ${request.method} is not allowed for this resource.`, {
            allow,
          });
        },
      });
    }
  }

  private noteRoute({ url, method, config }: RouteOptions): void {
    if (config?.isLone === true) this.lonePaths.add(url);
    const methods = this.methodsByPath.get(url) ?? new Set();
    for (const name of [method].flat()) methods.add(name);
    this.methodsByPath.set(url, methods);
  }
}
