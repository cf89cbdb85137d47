import { RouteConfig } from '@nestjs/platform-fastify';

/**
 * What a route does with a request body: `reject` refuses any, `json` parses it into `request.body`, `ignore` leaves
 * it unread, `own` leaves it to the handler.
 */
export type BodyPolicy = 'reject' | 'json' | 'ignore' | 'own';

/** Says what a route does with a body. Without it the body is parsed as JSON. */
export const Body = (policy: BodyPolicy) => RouteConfig({ body: policy });

/** As `Body`, on a route under a version that asks nobody who they are. */
export const OpenRoute = (policy: BodyPolicy) => RouteConfig({ body: policy, isOpen: true });

/** As `Body`, on a path that other methods don't find (404), where elsewhere they are not allowed (405). */
export const LoneRoute = (policy: BodyPolicy) => RouteConfig({ body: policy, isLone: true });
