import type { Config } from '@glimpse/config';
import { areas } from './areas.js';
import { ComponentSchemas, type JsonObject } from '@glimpse/contracts';
import { describeOperation, templateOf } from './operation.js';
import type { RouteDescription } from './route-description.js';
import { securityOf } from './security-schemes.js';

const INTRODUCTION = `The OpenStack Image API v2, as Glimpse serves it: clients of Glance work unchanged.

Operations, parameters and properties that Glance does not have are marked \`x-glimpse-addition\`.
Errors are JSON, HTML or plain text, as the \`Accept\` header asks.
Every version label (\`/v2.0\` to the newest one of \`/versions\`) leads to the same operations as \`/v2\`.`;

/** The routes of this deployment, area by area. */
export const describedRoutes = (config: Config): RouteDescription[] => areas.flatMap((area) => area(config));

/** The OpenAPI 3.1 document of the routes, but for `servers`, which depend on how the client came. */
export function openApiDocument(config: Config): JsonObject {
  const routes = describedRoutes(config);
  const schemas = new ComponentSchemas();
  const { schemes, requirement } = securityOf(config.auth);
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const operations = (paths[templateOf(route.path)] ??= {});
    operations[route.method.toLowerCase()] = describeOperation(route, schemas);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Glimpse Image API',
      version: 'v2',
      description: INTRODUCTION,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    security: Object.keys(requirement).length === 0 ? [] : [requirement],
    tags: [...new Set(routes.map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    components: {
      schemas: schemas.all,
      ...(Object.keys(schemes).length === 0 ? {} : { securitySchemes: schemes }),
    },
  };
}
