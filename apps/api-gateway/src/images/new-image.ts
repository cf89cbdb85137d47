import { type NewImage, ServiceError, isReservedProperty } from '@glimpse/contracts';
import { checkStorableText } from '../http/text.js';
import { type ImageSchema, checkImageDocument, isCoreKey } from './images.schema.js';
import { checkPropertyName, checkPropertyValue, readOnlyError, reservedError } from './property-rules.js';

const REFUSED_AT_ONCE = ['direct_url', 'self', 'file', 'schema', 'stores'];
const REFUSED_WHEN_VALID = [
  'status',
  'checksum',
  'size',
  'virtual_size',
  'created_at',
  'updated_at',
  'os_hash_algo',
  'os_hash_value',
];

type Document = ReturnType<typeof checkImageDocument>;

function takeProperties(document: Document, schema: ImageSchema): Record<string, string | null> {
  const properties: Record<string, string | null> = {};
  for (const [key, value] of Object.entries(document)) {
    if (isCoreKey(schema, key)) continue;
    checkPropertyName(key);
    if (isReservedProperty(key)) throw reservedError(key);
    // The schema lets nothing but text and null through.
    const property = value as string | null;
    checkPropertyValue(key, property);
    properties[key] = property;
  }
  return properties;
}

/** A create request, checked in the order that Glance has (spec/api-images.md section 4.1). */
export function parseNewImage(body: unknown, schema: ImageSchema): NewImage {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new ServiceError('REQUEST_INVALID', 'The request body must be a JSON object.');
  // Parsing into an object of a fixed shape would drop this key in silence.
  if (Object.hasOwn(body, '__proto__')) checkPropertyName('__proto__');
  for (const key of REFUSED_AT_ONCE) if (Object.hasOwn(body, key)) throw readOnlyError(key);

  const document = checkImageDocument(schema, body);
  const properties = takeProperties(document, schema);
  for (const key of REFUSED_WHEN_VALID) if (Object.hasOwn(body, key)) throw readOnlyError(key);
  if (document.locations !== undefined) throw reservedError('locations');

  if (typeof document.name === 'string') checkStorableText('The name', document.name);
  if (typeof document.owner === 'string') checkStorableText('The owner', document.owner);
  for (const tag of document.tags ?? []) checkStorableText('A tag', tag);

  const image: NewImage = {
    id: document.id,
    name: document.name,
    visibility: document.visibility,
    protected: document.protected,
    osHidden: document.os_hidden,
    owner: document.owner,
    diskFormat: document.disk_format,
    containerFormat: document.container_format,
    minRam: document.min_ram,
    minDisk: document.min_disk,
    tags: document.tags,
    properties,
  };
  return Object.fromEntries(Object.entries(image).filter(([, value]) => value !== undefined));
}
