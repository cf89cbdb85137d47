import { describe, expect, it } from '@jest/globals';
import { metadefPath } from './metadef-path.js';
import { forResourceType, viewAssociation, viewObject, viewProperty } from './metadef-views.js';

const TIMES = { createdAt: '2026-01-02T03:04:05Z', updatedAt: '2026-01-02T03:04:05Z' };
const SHOWN = { created_at: '2026-01-02T03:04:05Z', updated_at: '2026-01-02T03:04:05Z' };

describe('metadata definitions as clients see them', () => {
  it('have paths that lead to them, with the colons that people know', () => {
    expect(metadefPath('OS::Nova')).toBe('/v2/metadefs/namespaces/OS::Nova');
    expect(metadefPath('a/b ü', 'tags', '%#?')).toBe('/v2/metadefs/namespaces/a%2Fb%20%C3%BC/tags/%25%23%3F');
  });

  it('leave out what they lack, but for the default of a property', () => {
    expect(viewAssociation({ name: 'T', prefix: null, propertiesTarget: null, ...TIMES })).toEqual({
      name: 'T',
      ...SHOWN,
    });
    expect(viewObject('N', { name: 'o', description: null, required: [], properties: {}, ...TIMES })).toEqual(
      {
        name: 'o',
        required: [],
        properties: {},
        ...SHOWN,
        self: '/v2/metadefs/namespaces/N/objects/o',
        schema: '/v2/schemas/metadefs/object',
      },
    );
    expect(viewProperty('p', { type: 'string', default: null })).toEqual({
      name: 'p',
      type: 'string',
      default: null,
    });
  });

  it('have prefixes on resources of a type that has one', () => {
    const content = {
      associations: [
        { name: 'With', prefix: 'x_', propertiesTarget: null, ...TIMES },
        { name: 'Without', prefix: null, propertiesTarget: null, ...TIMES },
      ],
      objects: [{ name: 'o', description: null, required: ['a'], properties: { a: {} }, ...TIMES }],
      properties: { p: { name: 'p' } },
      tags: [],
    };

    expect(forResourceType(content, 'With')).toMatchObject({
      objects: [{ name: 'o', required: ['x_a'], properties: { x_a: {} } }],
      properties: { x_p: { name: 'p' } },
    });
    expect(forResourceType(content, 'Without')).toBe(content);
    expect(forResourceType(content, 'None')).toBe(content);
  });
});
