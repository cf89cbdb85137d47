import { Ajv2020 } from 'ajv/dist/2020.js';
import type { HttpAnswer } from '@glimpse/testing';

interface Operation {
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, unknown>> }>>;
}

export interface OpenApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

const escape = (part: string) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'));

/** Objects that name their members have no others: what is answered but not described is a mistake here. */
function closed(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(closed);
  if (typeof node !== 'object' || node === null) return node;
  const copy = Object.fromEntries(Object.entries(node).map(([key, value]) => [key, closed(value)]));
  const isOpenObject = copy['type'] === 'object' && 'properties' in copy && !('additionalProperties' in copy);
  return isOpenObject ? { ...copy, additionalProperties: false } : copy;
}

/** Holds answers against an OpenAPI document, and notes which operations it has seen succeed. */
export class OpenApiChecker {
  readonly succeeded = new Set<string>();
  private readonly ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });

  constructor(private readonly document: OpenApiDocument) {
    this.ajv.addSchema(closed(document) as object, 'openapi');
  }

  /** Every operation of the document, as `get /v2/images/{id}`. */
  get operations(): string[] {
    return Object.entries(this.document.paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method} ${path}`),
    );
  }

  /** What is wrong with an answer; empty where it is as described. */
  problems(method: string, path: string, answer: HttpAnswer): string[] {
    const template = this.templateOf(path);
    const operation = template === undefined ? undefined : this.document.paths[template]?.[method];
    if (template === undefined || operation === undefined) return [`${method} ${path} is not described`];
    if (answer.status < 400) this.succeeded.add(`${method} ${template}`);
    const described = operation.responses[answer.status];
    if (described === undefined) return [`${method} ${template} is not said to answer ${answer.status}`];
    return this.contentProblems(`${method} ${template} ${answer.status}`, described.content, answer, [
      'paths',
      template,
      method,
      'responses',
      String(answer.status),
      'content',
    ]);
  }

  private contentProblems(
    what: string,
    content: Readonly<Record<string, unknown>> | undefined,
    answer: HttpAnswer,
    place: readonly string[],
  ): string[] {
    const mediaType = (answer.headers.get('content-type') ?? '').split(';')[0]!;
    if (content === undefined) return answer.text === '' ? [] : [`${what} is said to be empty`];
    if (!Object.hasOwn(content, mediaType)) return [`${what} is not said to be ${mediaType}`];
    if (mediaType !== 'application/json') return [];
    const schema = `openapi#/${[...place, mediaType, 'schema'].map(escape).join('/')}`;
    const validate = this.ajv.compile({ $ref: schema });
    if (validate(JSON.parse(answer.text))) return [];
    return [`${what}: ${this.ajv.errorsText(validate.errors)}\n${answer.text}`];
  }

  /** The path of the document that the request's path is one of; one without parameters goes first. */
  private templateOf(path: string): string | undefined {
    const templates = Object.keys(this.document.paths).toSorted(
      (a, b) => a.split('{').length - b.split('{').length,
    );
    return templates.find((template) => new RegExp(`^${template.replace(/\{\w+\}/g, '[^/]+')}$`).test(path));
  }
}
