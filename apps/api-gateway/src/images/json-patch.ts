import {
  type ImageChange,
  ServiceError,
  WritableAttribute,
  isReadOnlyAttribute,
  isReservedProperty,
} from '@glimpse/contracts';
import { HttpError } from '../http/http-error.js';
import { checkStorableText } from '../http/text.js';
import { type ImageSchema, checkImageDocument } from './images.schema.js';
import { parsePointer } from './json-pointer.js';
import { checkPropertyName, checkPropertyValue, readOnlyError, reservedError } from './property-rules.js';

const V20 = 'application/openstack-images-v2.0-json-patch';
const V21 = 'application/openstack-images-v2.1-json-patch';
const OPERATIONS = ['add', 'replace', 'remove'] as const;
type Operation = (typeof OPERATIONS)[number];
export type Dialect = 'v2.0' | 'v2.1';

interface RawChange {
  readonly operation: Operation;
  readonly path: string[];
  readonly value: unknown;
}

const invalid = (message: string) => new ServiceError('REQUEST_INVALID', message);

/** The dialect that a content type names; parameters don't matter, case does. Everything else is a 415. */
export function patchDialect(contentType: string | undefined): Dialect {
  const mediaType = (contentType ?? '').split(';')[0]!.trim();
  if (mediaType === V20) return 'v2.0';
  if (mediaType === V21) return 'v2.1';
  throw new HttpError(415, 'The media type of a patch must be one of those in Accept-Patch.', {
    'accept-patch': `${V20}, ${V21}`,
  });
}

function readV20(change: object): RawChange {
  const verbs = OPERATIONS.filter((operation) => Object.hasOwn(change, operation));
  const [operation] = verbs;
  if (operation === undefined || verbs.length > 1)
    throw invalid('Operation objects must contain exactly one member named "add", "remove", or "replace".');
  return {
    operation,
    path: parsePointer(Reflect.get(change, operation)),
    value: Reflect.get(change, 'value'),
  };
}

function readV21(change: object): RawChange {
  const member = (name: string): unknown => {
    if (!Object.hasOwn(change, name)) throw invalid(`Unable to find '${name}' in JSON Schema change`);
    return Reflect.get(change, name);
  };
  const op = member('op');
  const operation = OPERATIONS.find((name) => name === op);
  if (operation === undefined)
    throw invalid(
      `Invalid operation: \`${String(op)}\`. It must be one of the following: ${OPERATIONS.join(', ')}.`,
    );
  return { operation, path: parsePointer(member('path')), value: Reflect.get(change, 'value') };
}

function checkDepth({ operation, path }: RawChange): void {
  const depth = path[0] === 'locations' && operation !== 'replace' ? 2 : 1;
  if (path.length !== depth) throw invalid(`Invalid JSON pointer for this resource: '/${path.join('/')}'`);
}

function checkValue(root: string, value: unknown, path: readonly string[], schema: ImageSchema): void {
  // One element of the list `locations` is checked as a list of one.
  checkImageDocument(schema, { [root]: path.length === 1 ? value : [value] });
  if (typeof value === 'string' && (root === 'name' || root === 'owner'))
    checkStorableText(`The ${root}`, value);
  if (root === 'tags' && Array.isArray(value))
    for (const tag of value) checkStorableText('A tag', String(tag));
}

function toChange(raw: RawChange, dialect: Dialect): ImageChange {
  const [root = '', position] = raw.path;
  const op = raw.operation === 'add' && dialect === 'v2.1' ? 'set' : raw.operation;
  const value = raw.operation === 'remove' ? {} : { value: raw.value };
  if (root === 'locations') return { target: 'locations', op, position: position ?? null, ...value };
  const attribute = WritableAttribute.safeParse(root);
  if (attribute.success) return { target: 'attribute', op, name: attribute.data, ...value };

  checkPropertyName(root);
  if (raw.operation === 'remove') return { target: 'property', op, name: root };
  // The schema lets nothing but text and null through.
  const property = raw.value as string | null;
  checkPropertyValue(root, property);
  return { target: 'property', op, name: root, value: property };
}

function parseOperation(change: unknown, dialect: Dialect, schema: ImageSchema): ImageChange {
  if (typeof change !== 'object' || change === null || Array.isArray(change))
    throw invalid('Operations must be JSON objects.');
  const raw = dialect === 'v2.0' ? readV20(change) : readV21(change);
  checkDepth(raw);
  const [root = ''] = raw.path;
  if (raw.operation !== 'remove' && !Object.hasOwn(change, 'value'))
    throw invalid(`Operation "${raw.operation}" requires a member named "value".`);
  if (isReadOnlyAttribute(root)) throw readOnlyError(root);
  if (isReservedProperty(root)) throw reservedError(root);
  if (raw.operation !== 'remove') checkValue(root, raw.value, raw.path, schema);
  return toChange(raw, dialect);
}

/** The changes that the body of a PATCH asks for, each checked on its own (spec/api-images.md section 4.4). */
export function parsePatch(body: unknown, dialect: Dialect, schema: ImageSchema): ImageChange[] {
  if (!Array.isArray(body)) throw invalid('Request body must be a JSON array of operation objects.');
  return body.map((change: unknown) => parseOperation(change, dialect, schema));
}
