import { z } from 'zod';
import type { ComponentSchemas, JsonObject } from '@glimpse/contracts';
import type {
  ByStatus,
  Content,
  RouteAnswer,
  RouteDescription,
  RouteParameter,
} from './route-description.js';

const ErrorBody = z
  .object({
    message: z.string().meta({ description: 'The explanation, followed by HTML line breaks.' }),
    code: z.string().meta({ description: 'The status line, e.g. `404 Not Found`.' }),
    title: z.string().meta({ description: 'The reason phrase.' }),
  })
  .meta({ id: 'Error', description: 'An error, to a client that asks for JSON.' });

const errorContent: Content = { 'application/json': ErrorBody, 'text/html': 'text', 'text/plain': 'text' };

/** Errors that any operation may have. */
const EVERYWHERE: ByStatus<string> = {
  500: 'The service has erred.',
  503: 'The service, or something that it needs, is unavailable for now.',
};
const WITH_TOKEN: ByStatus<string> = { 401: 'The caller is unknown.' };

const marked = (isAddition: boolean | undefined) =>
  isAddition === true ? { 'x-glimpse-addition': true } : {};

/** `/v2/images/:id` as OpenAPI writes it: `/v2/images/{id}`. */
export const templateOf = (path: string): string => path.replace(/:(\w+)/g, '{$1}');

/** `get_images_id` for `GET /v2/images/:id`. */
function operationId({ method, path }: RouteDescription): string {
  const parts = path.replace(/^\/v2\//, '/').split(/[^A-Za-z0-9]+/);
  return [method.toLowerCase(), ...parts.filter((part) => part !== '')].join('_');
}

function describeContent(content: Content, io: 'input' | 'output', schemas: ComponentSchemas): JsonObject {
  const described: Record<string, JsonObject> = {};
  for (const [mediaType, schema] of Object.entries(content)) {
    if (schema === undefined) continue;
    if (schema === 'bytes') described[mediaType] = {};
    else if (schema === 'text') described[mediaType] = { schema: { type: 'string' } };
    else described[mediaType] = { schema: schemas.describe(schema, io) };
  }
  return described;
}

function describeParameter(parameter: RouteParameter, schemas: ComponentSchemas): JsonObject {
  const { in: place, name, description, schema, isRequired, isAddition } = parameter;
  return {
    in: place,
    name,
    description,
    required: place === 'path' || isRequired === true,
    schema: schema === undefined ? { type: 'string' } : schemas.describe(schema, 'input'),
    ...marked(isAddition),
  };
}

function parametersOf({ path, parameters = [] }: RouteDescription): RouteParameter[] {
  const inPath = [...path.matchAll(/:(\w+)/g)].map(([, name = '']) => name);
  const undescribed = inPath.filter(
    (name) => !parameters.some((one) => one.in === 'path' && one.name === name),
  );
  return [
    ...undescribed.map((name) => ({ in: 'path' as const, name, description: `The ${name} in the path.` })),
    ...parameters,
  ];
}

function describeAnswer(
  { description, content, headers }: RouteAnswer,
  schemas: ComponentSchemas,
): JsonObject {
  return {
    description,
    ...(headers === undefined
      ? {}
      : {
          headers: Object.fromEntries(
            Object.entries(headers).map(([name, text]) => [
              name,
              { description: text, schema: { type: 'string' } },
            ]),
          ),
        }),
    ...(content === undefined ? {} : { content: describeContent(content, 'output', schemas) }),
  };
}

function answersOf({ answers, errors, isOpen }: RouteDescription): [string, RouteAnswer][] {
  const refusals = { ...EVERYWHERE, ...(isOpen === true ? {} : WITH_TOKEN), ...errors };
  const all = new Map<string, RouteAnswer>();
  for (const [status, answer] of Object.entries(answers)) if (answer !== undefined) all.set(status, answer);
  for (const [status, description] of Object.entries(refusals))
    if (description !== undefined && !all.has(status))
      all.set(status, { description, content: errorContent });
  return [...all].toSorted(([a], [b]) => Number(a) - Number(b));
}

/** The Operation Object of a route; what has a name of its own goes to `schemas`. */
export function describeOperation(route: RouteDescription, schemas: ComponentSchemas): JsonObject {
  const { tag, summary, description, body, isOpen, isAddition, isDeprecated } = route;
  return {
    operationId: operationId(route),
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    ...(isDeprecated === true ? { deprecated: true } : {}),
    ...(isOpen === true ? { security: [] } : {}),
    ...marked(isAddition),
    parameters: parametersOf(route).map((parameter) => describeParameter(parameter, schemas)),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            ...(body.description === undefined ? {} : { description: body.description }),
            required: body.isRequired ?? true,
            content: describeContent(body.content, 'input', schemas),
          },
        }),
    responses: Object.fromEntries(
      answersOf(route).map(([status, answer]) => [status, describeAnswer(answer, schemas)]),
    ),
  };
}
