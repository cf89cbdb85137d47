import { z } from 'zod';

/** Characters of the name of a namespace, a property, an object, a tag or a resource type. */
export const MAX_METADEF_NAME_LENGTH = 80;

/** A name of something that is defined: it stands in URLs, so it is never empty. */
export const metadefName = (description: string) =>
  z.string().min(1).max(MAX_METADEF_NAME_LENGTH).meta({ description });

const metadefPropertyTypes = ['array', 'boolean', 'integer', 'number', 'object', 'string'] as const;

// Glance publishes null among the types although no value of null is a text.
const publishedTypes = { enum: [...metadefPropertyTypes, null] };

const areUnique = (texts: readonly string[]) => new Set(texts).size === texts.length;

/** A length or a number of elements. */
export const PositiveInteger = z.int().min(0);
/** The least length or number of elements. */
export const PositiveIntegerDefault0 = z.int().min(0);

/** Texts of which none appears twice. */
export const StringArray = z
  .array(z.string())
  .refine(areUnique, 'has an element that appears twice')
  .meta({ uniqueItems: true });
/** As `StringArray`, and not empty. */
export const FilledStringArray = z
  .array(z.string())
  .min(1)
  .refine(areUnique, 'has an element that appears twice')
  .meta({ uniqueItems: true });

/** What describes one property: words of JSON Schema, and `operators` and `readonly` of Glance's own. */
const propertyShape = {
  title: z.string().meta({ description: 'Name of the property for people.' }),
  type: z
    .enum(metadefPropertyTypes)
    .meta({ ...publishedTypes, description: 'Type of the values, as JSON Schema names it.' }),
  description: z.string().optional().meta({ description: 'What the property means.' }),
  operators: z
    .array(z.string())
    .optional()
    .meta({ description: 'Operators that a value may begin with, such as `<in>`.' }),
  required: StringArray.optional(),
  minimum: z.number().optional().meta({ description: 'The least value of a number.' }),
  maximum: z.number().optional().meta({ description: 'The greatest value of a number.' }),
  minLength: PositiveIntegerDefault0.optional(),
  maxLength: PositiveInteger.optional(),
  pattern: z
    .string()
    .optional()
    .meta({ format: 'regex', description: 'A regular expression that the values match.' }),
  enum: z.array(z.unknown()).optional().meta({ description: 'The only values that there are.' }),
  readonly: z.boolean().optional().meta({ description: 'Whether users are to leave the value alone.' }),
  default: z.unknown().optional().meta({ description: 'The value where none is set.' }),
  items: z
    .strictObject({
      type: z.enum(metadefPropertyTypes).optional().meta(publishedTypes),
      enum: z.array(z.unknown()).optional(),
    })
    .optional()
    .meta({ description: 'What describes the elements of an array.' }),
  minItems: PositiveIntegerDefault0.optional(),
  maxItems: PositiveInteger.optional(),
  uniqueItems: z
    .boolean()
    .optional()
    .meta({ default: false, description: 'Whether no element appears twice.' }),
  additionalItems: z.boolean().optional().meta({ description: 'Whether an array may have more elements.' }),
};

/** A property by itself: `{"name": …, "type": …, "title": …, …}`. */
export const MetadefPropertyDocument = z.strictObject({
  name: metadefName('Name of the property'),
  ...propertyShape,
  required: FilledStringArray.optional(),
});
export type MetadefPropertyDocument = z.output<typeof MetadefPropertyDocument>;

/** Properties by their names, inside a namespace or an object. */
export const MetadefPropertyMap = z.record(
  z.string().min(1).max(MAX_METADEF_NAME_LENGTH),
  z.strictObject({ name: metadefName('Name of the property').optional(), ...propertyShape }),
);

/** As `MetadefPropertyMap`, in a file: words that the API does not know are kept, as Glance keeps them. */
export const MetadefPropertyMapInFile = z.record(
  z.string().min(1).max(MAX_METADEF_NAME_LENGTH),
  z.looseObject({ name: metadefName('Name of the property').optional(), ...propertyShape }),
);

/** What describes a property, as it is kept: the words of its document. Rows that Glance wrote may hold others. */
export const MetadefProperty = z.record(z.string(), z.unknown());
export type MetadefProperty = z.output<typeof MetadefProperty>;

/** Properties by their names. */
export const MetadefProperties = z.record(z.string(), MetadefProperty);
export type MetadefProperties = z.output<typeof MetadefProperties>;

/** A default travels as text, as Python writes it; arrays and objects are none. */
function toStoredDefault(value: unknown): string | null {
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' ? value : null;
}

/** A checked property as it is kept: its default as text, its bounds as whole numbers (spec/api-metadefs.md 1.3). */
export function toStoredProperty(document: MetadefProperty): MetadefProperty {
  const stored = { ...document };
  if ('default' in stored) stored['default'] = toStoredDefault(stored['default']);
  for (const bound of ['minimum', 'maximum'])
    if (typeof stored[bound] === 'number') stored[bound] = Math.trunc(stored[bound]);
  return stored;
}

/** Checked properties as they are kept: the key is the name, so there is none inside. */
export function toStoredProperties(documents: MetadefProperties): MetadefProperties {
  const stored: MetadefProperties = {};
  for (const [name, document] of Object.entries(documents)) {
    stored[name] = toStoredProperty(document);
    delete stored[name]['name'];
  }
  return stored;
}
