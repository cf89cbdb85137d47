import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { parsePatch } from './json-patch.js';
import { createImageSchema, createNewImageSchema } from './images.schema.js';
import { parseNewImage } from './new-image.js';
import { publishedImageSchema } from './published-schema.js';

const folder = mkdtempSync(join(tmpdir(), 'glimpse-schema-'));
afterAll(() => rmSync(folder, { recursive: true }));

const options = { diskFormats: ['raw'], containerFormats: ['bare'] };
function withFile(content: unknown) {
  const schemaFile = join(folder, 'schema-image.json');
  writeFileSync(schemaFile, typeof content === 'string' ? content : JSON.stringify(content));
  return { ...options, schemaFile };
}

const LICENCE = { type: 'string', enum: ['free', 'paid'], description: 'What it costs' };
const PARENT = { type: ['null', 'string'], pattern: '^[0-9]+$', description: 'Made of' };

describe("the deployer's schema file", () => {
  it('names custom properties in place of the usual ones', () => {
    const published = publishedImageSchema(createImageSchema(withFile({ licence: LICENCE, parent: PARENT })));

    expect(published.properties).toMatchObject({
      licence: { ...LICENCE, is_base: false },
      parent: { ...PARENT, is_base: false },
      name: { type: ['null', 'string'], maxLength: 255 },
    });
    expect(published.properties).not.toHaveProperty('kernel_id');
    expect(published).not.toHaveProperty('required');
  });

  it('is what values are checked with, in new images and in patches', () => {
    const schema = createImageSchema(withFile({ licence: LICENCE, parent: PARENT }));
    const patch = (value: unknown) => parsePatch([{ op: 'add', path: '/licence', value }], 'v2.1', schema);

    expect(parseNewImage({ licence: 'free', parent: null, other: 'x' }, schema).properties).toEqual({
      licence: 'free',
      parent: null,
      other: 'x',
    });
    for (const body of [{ licence: 'cheap' }, { licence: null }, { parent: 'x' }, { licence: 1 }])
      expect(() => parseNewImage(body, schema)).toThrow(expect.objectContaining({ code: 'REQUEST_INVALID' }));
    expect(patch('paid')).toMatchObject([{ target: 'property', name: 'licence', value: 'paid' }]);
    expect(() => patch('cheap')).toThrow(expect.objectContaining({ code: 'REQUEST_INVALID' }));
  });

  it('demands of new images what it says is required, and of patches nothing', () => {
    const file = withFile({ properties: { licence: LICENCE }, required: ['licence', 'name'] });
    const forNew = createNewImageSchema(file);

    expect(() => parseNewImage({ name: 'a' }, forNew)).toThrow(
      expect.objectContaining({ code: 'REQUEST_INVALID' }),
    );
    expect(parseNewImage({ name: 'a', licence: 'free' }, forNew)).toMatchObject({ name: 'a' });
    expect(publishedImageSchema(forNew).required).toEqual(['name', 'licence']);
    const rename = [{ op: 'replace', path: '/name', value: 'b' }];
    expect(parsePatch(rename, 'v2.1', createImageSchema(file))).toHaveLength(1);
  });

  it.each<[string, unknown]>([
    ['JSON', '{'],
    ['type', { size_class: { type: 'integer' } }],
    ['type', { size_class: {} }],
    ['named', { status: { type: 'string' } }],
    ['named', { os_glance_x: { type: 'string' } }],
    ['requires', { properties: {}, required: ['licence'] }],
  ])('is refused when its %s is wrong: %j', (reason, content) => {
    expect(() => createImageSchema(withFile(content))).toThrow(new RegExp(`images.schema_file .*${reason}`));
  });

  it('is refused when it is not there', () => {
    expect(() => createImageSchema({ ...options, schemaFile: join(folder, 'nowhere') })).toThrow(/ENOENT/);
  });
});
