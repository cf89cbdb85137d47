import { describe, expect, it } from '@jest/globals';
import { createImageSchema } from './images.schema.js';
import { publishedImageSchema, publishedImagesSchema } from './published-schema.js';

const schema = createImageSchema({ diskFormats: ['raw', 'qcow2'], containerFormats: ['bare'] });
const UUID = '^([0-9a-fA-F]){8}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){12}$';

describe('the published schema of an image', () => {
  const document = publishedImageSchema(schema);

  it('has exactly the members of the form', () => {
    expect(Object.keys(document)).toEqual(['name', 'properties', 'additionalProperties', 'links']);
    expect(document.additionalProperties).toEqual({ type: 'string' });
  });

  it.each([
    ['id', { type: 'string', pattern: UUID, description: 'An identifier for the image' }],
    ['name', { type: ['null', 'string'], maxLength: 255, description: 'Descriptive name for the image' }],
    [
      'disk_format',
      { type: ['null', 'string'], enum: [null, 'raw', 'qcow2'], description: 'Format of the disk' },
    ],
    [
      'visibility',
      {
        type: 'string',
        enum: ['community', 'public', 'private', 'shared'],
        description: 'Scope of image accessibility',
      },
    ],
    ['size', { type: ['null', 'integer'], readOnly: true, description: 'Size of image file in bytes' }],
    ['min_ram', { type: 'integer', description: 'Amount of ram (in MB) required to boot image.' }],
    ['protected', { type: 'boolean', description: 'If true, image will not be deletable.' }],
    [
      'tags',
      {
        type: 'array',
        items: { type: 'string', maxLength: 255 },
        description: 'List of strings related to the image',
      },
    ],
    [
      'kernel_id',
      {
        type: ['null', 'string'],
        pattern: UUID,
        is_base: false,
        description:
          'ID of image stored in Glance that should be used as the kernel when booting an AMI-style image.',
      },
    ],
    [
      'locations',
      {
        type: 'array',
        description: 'A set of URLs to access the image file kept in external store',
        items: {
          type: 'object',
          properties: {
            url: { type: 'string', maxLength: 255 },
            metadata: { type: 'object' },
            validation_data: {
              description: expect.any(String),
              type: 'object',
              writeOnly: true,
              additionalProperties: false,
              properties: {
                checksum: { type: 'string', minLength: 32, maxLength: 32 },
                os_hash_algo: { type: 'string', maxLength: 64 },
                os_hash_value: { type: 'string', maxLength: 128 },
              },
              required: ['os_hash_algo', 'os_hash_value'],
            },
          },
          required: ['url', 'metadata'],
        },
      },
    ],
  ])('describes %s as Glance does', (name, expected) => {
    expect(document.properties?.[name]).toEqual(expected);
  });

  it('does not name stores, which the glance command could not parse', () => {
    expect(document.properties).not.toHaveProperty('stores');
  });

  it('is part of the schema of the list', () => {
    expect(publishedImagesSchema(schema).properties.images.items).toEqual(document);
  });
});
