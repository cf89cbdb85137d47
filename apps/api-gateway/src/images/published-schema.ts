import { z } from 'zod';
import type { ImageSchema } from './images.schema.js';

type JsonSchema = z.core.JSONSchema.BaseSchema;

/** `anyOf: [X, null]` becomes X with null as its first type and first value. */
function mergeNull(node: JsonSchema): void {
  const [inner] = node.anyOf ?? [];
  if (typeof inner !== 'object') return;
  delete node.anyOf;
  const { type, enum: values, ...rest } = inner;
  Object.assign(node, rest, { type: ['null', type] });
  if (values !== undefined) node.enum = [null, ...values];
}

/** Turns zod's reading of a node into Glance's. */
function toGlanceForm({
  zodSchema,
  jsonSchema: node,
}: {
  zodSchema: z.core.$ZodType;
  jsonSchema: JsonSchema;
}) {
  const { type } = zodSchema._zod.def;
  if (type === 'nullable') mergeNull(node);
  if (node.type === 'integer' || type === 'nullable') {
    delete node.minimum;
    delete node.maximum;
  }
  if (type === 'record') {
    delete node.propertyNames;
    delete node.additionalProperties;
  }
  if (typeof node.additionalProperties === 'object' && Object.keys(node.additionalProperties).length === 0)
    delete node.additionalProperties;
}

/** The document of `/v2/schemas/image`, from which clients build their models. */
export function publishedImageSchema(schema: ImageSchema) {
  const { properties, required = [] } = z.toJSONSchema(schema, {
    target: 'draft-7',
    io: 'input',
    override: toGlanceForm,
  });
  return {
    name: 'image',
    properties,
    additionalProperties: { type: 'string' },
    ...(required.length === 0 ? {} : { required }),
    links: [
      { rel: 'self', href: '{self}' },
      { rel: 'enclosure', href: '{file}' },
      { rel: 'describedby', href: '{schema}' },
    ],
  };
}

/** The document of `/v2/schemas/images`. */
export function publishedImagesSchema(schema: ImageSchema) {
  return {
    name: 'images',
    properties: {
      images: { type: 'array', items: publishedImageSchema(schema) },
      first: { type: 'string' },
      next: { type: 'string' },
      schema: { type: 'string' },
    },
    links: [
      { rel: 'first', href: '{first}' },
      { rel: 'next', href: '{next}' },
      { rel: 'describedby', href: '{schema}' },
    ],
  };
}
