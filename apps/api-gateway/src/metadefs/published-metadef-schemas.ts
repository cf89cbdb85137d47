import {
  FilledStringArray,
  MetadefAssociationDocument,
  MetadefNamespaceDocument,
  MetadefObjectDocument,
  MetadefPropertyDocument,
  MetadefPropertyMap,
  MetadefTagDocument,
  PositiveInteger,
  PositiveIntegerDefault0,
  StringArray,
} from '@glimpse/contracts';
import { z } from 'zod';

type JsonSchema = z.core.JSONSchema.BaseSchema;

interface Published {
  readonly name: string;
  readonly properties: Readonly<Record<string, unknown>>;
  readonly additionalProperties: false;
  readonly definitions?: Definitions;
  readonly required: readonly string[];
}
type Definitions = Readonly<Record<string, unknown>>;

/** What the documents refer to by a name. */
const definitionNames = new Map<z.core.$ZodType, string>([
  [PositiveInteger, 'positiveInteger'],
  [PositiveIntegerDefault0, 'positiveIntegerDefault0'],
  [StringArray, 'stringArray'],
  [FilledStringArray, 'stringArray'],
  [MetadefPropertyMap, 'property'],
]);

const unwrap = (schema: z.core.$ZodType) =>
  schema instanceof z.core.$ZodOptional ? schema._zod.def.innerType : schema;

/** The JSON schema of a document; what has a name, but for `top` itself, is a reference. */
function jsonSchemaOf(top: z.ZodType): JsonSchema {
  const { $schema: _, ...schema } = z.toJSONSchema(top, {
    target: 'draft-7',
    io: 'input',
    override: ({ zodSchema, jsonSchema: node }: { zodSchema: z.core.$ZodType; jsonSchema: JsonSchema }) => {
      delete node.propertyNames;
      if (node.type === 'integer') delete node.maximum;
      const name = definitionNames.get(unwrap(zodSchema));
      if (name === undefined || zodSchema === top) return;
      for (const key of Object.keys(node)) delete node[key];
      node.$ref = `#/definitions/${name}`;
    },
  });
  return schema;
}

const numbers = {
  positiveInteger: jsonSchemaOf(PositiveInteger),
  positiveIntegerDefault0: { allOf: [{ $ref: '#/definitions/positiveInteger' }, { default: 0 }] },
};
const ofProperties: Definitions = {
  ...numbers,
  stringArray: jsonSchemaOf(StringArray),
  property: jsonSchemaOf(MetadefPropertyMap),
};

function publish(name: string, document: z.ZodType, definitions?: Definitions): Published {
  const { properties = {}, required = [] } = jsonSchemaOf(document);
  return {
    name,
    properties,
    additionalProperties: false,
    ...(definitions === undefined ? {} : { definitions }),
    required,
  };
}

const pageLinks = [
  { rel: 'first', href: '{first}' },
  { rel: 'next', href: '{next}' },
  { rel: 'describedby', href: '{schema}' },
];

/** A collection of documents; what they refer to moves to the top. */
function publishCollection(name: string, { definitions, ...items }: Published) {
  return {
    name,
    properties: {
      [name]: { type: 'array', items },
      first: { type: 'string' },
      next: { type: 'string' },
      schema: { type: 'string' },
    },
    ...(definitions === undefined ? {} : { definitions }),
    links: pageLinks,
  };
}

/** Properties come by their names, which are therefore not required inside. */
function publishProperties({ definitions, required, ...items }: Published) {
  return {
    name: 'properties',
    properties: {
      properties: {
        type: 'object',
        additionalProperties: { ...items, required: required.filter((key) => key !== 'name') },
      },
      first: { type: 'string' },
      next: { type: 'string' },
      schema: { type: 'string' },
    },
    definitions,
    links: pageLinks,
  };
}

const namespace = publish('namespace', MetadefNamespaceDocument, ofProperties);
const association = publish('resource_type_association', MetadefAssociationDocument);
const property = publish('property', MetadefPropertyDocument, {
  ...numbers,
  stringArray: jsonSchemaOf(FilledStringArray),
});
const object = publish('object', MetadefObjectDocument, ofProperties);
const tag = publish('tag', MetadefTagDocument);

/** The documents of `/v2/schemas/metadefs/<key>`. */
export const publishedMetadefSchemas = {
  namespace,
  namespaces: publishCollection('namespaces', namespace),
  resource_type: association,
  resource_types: publishCollection('resource_type_associations', association),
  property,
  properties: publishProperties(property),
  object,
  objects: publishCollection('objects', object),
  tag,
  tags: publishCollection('tags', tag),
} as const;
