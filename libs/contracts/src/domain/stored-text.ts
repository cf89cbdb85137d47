// What Glance's schema can hold, and which names it keeps for itself: the gateway refuses early, the registry for certain.

/** Characters of a name, an owner, a tag, a property's name. */
export const MAX_TEXT_LENGTH = 255;

/** Bytes of a property's value. */
export const MAX_PROPERTY_VALUE_BYTES = 65_535;

/**
 * Whether a text column can hold the text: Glance's know no character that needs four bytes in UTF-8, and MySQL refuses
 * even to look for one; SQLite gives a text back only up to its first U+0000.
 */
export const isStorableText = (text: string): boolean => !/[\0\uD800-\uDFFF]/.test(text);

const READ_ONLY: ReadonlySet<string> = new Set([
  'created_at',
  'updated_at',
  'status',
  'checksum',
  'size',
  'virtual_size',
  'direct_url',
  'self',
  'file',
  'schema',
  'id',
  'os_hash_algo',
  'os_hash_value',
]);

/** Whether the name is an attribute that no client changes (spec: a PATCH of it is 403). */
export const isReadOnlyAttribute = (name: string): boolean => READ_ONLY.has(name);

const RESERVED: ReadonlySet<string> = new Set(['location', 'deleted', 'deleted_at']);

/** Whether the service keeps the property for itself; such properties don't count towards the quota. */
export const isInternalProperty = (name: string): boolean => name.startsWith('os_glance');

/** Whether no client may have a property of that name. */
export const isReservedProperty = (name: string): boolean => RESERVED.has(name) || isInternalProperty(name);
