import { describe, expect, it } from '@jest/globals';
import { publishedMetadefSchemas } from './published-metadef-schemas.js';

const { namespace, namespaces, property, properties, object, tag } = publishedMetadefSchemas;

/** Every definition that a document refers to. */
function referencesIn(node: unknown): string[] {
  if (typeof node !== 'object' || node === null) return [];
  return Object.entries(node).flatMap(([key, value]: [string, unknown]) =>
    key === '$ref' && typeof value === 'string' ? [value] : referencesIn(value),
  );
}

describe('the published schemas of metadata definitions', () => {
  it.each(Object.entries(publishedMetadefSchemas))('define at the top what %s refers to', (_, schema) => {
    const definitions = 'definitions' in schema ? Object.keys(schema.definitions ?? {}) : [];

    for (const reference of referencesIn(schema))
      expect(definitions).toContain(reference.replace('#/definitions/', ''));
  });

  it('have the definitions that clients know', () => {
    expect(namespace.definitions).toMatchObject({
      positiveInteger: { type: 'integer', minimum: 0 },
      positiveIntegerDefault0: { allOf: [{ $ref: '#/definitions/positiveInteger' }, { default: 0 }] },
      stringArray: { type: 'array', items: { type: 'string' }, uniqueItems: true },
      property: { type: 'object', additionalProperties: { required: ['title', 'type'] } },
    });
    expect(namespace.definitions?.['stringArray']).not.toHaveProperty('minItems');
    expect(property.definitions).toMatchObject({ stringArray: { minItems: 1, uniqueItems: true } });
    expect(property.definitions).not.toHaveProperty('property');
    expect(object.properties['properties']).toEqual({ $ref: '#/definitions/property' });
  });

  it('describe what nobody can set as read-only', () => {
    for (const schema of [namespace, object, tag])
      expect(schema.properties['created_at']).toMatchObject({ readOnly: true, format: 'date-time' });
    expect(namespace.properties['self']).toMatchObject({ readOnly: true });
    expect(property.properties).not.toHaveProperty('created_at');
  });

  it('wrap documents into collections', () => {
    const { definitions: _, ...document } = namespace;

    expect(namespaces.properties).toMatchObject({ namespaces: { type: 'array', items: document } });
    expect(properties.properties.properties).toMatchObject({
      type: 'object',
      additionalProperties: { required: ['title', 'type'] },
    });
  });
});
