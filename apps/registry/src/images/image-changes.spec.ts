import { type Image, type ImageChange, ServiceError } from '@glimpse/contracts';
import { describe, expect, it } from '@jest/globals';
import { anImage } from '@glimpse/testing';
import { type ChangeRules, applyChanges } from './image-changes.js';

const theImage = (more: Partial<Image> = {}): Image =>
  anImage({ name: 'n', properties: { here: '1' }, ...more });
const rules = (more: Partial<ChangeRules> = {}): ChangeRules => ({
  isAdmin: false,
  mayPublishAs: (visibility) => {
    if (visibility === 'public') throw new ServiceError('ACTION_FORBIDDEN', 'no');
  },
  changeLocations: () => {
    throw new ServiceError('ACTION_FORBIDDEN', 'invisible');
  },
  mayProperty: (operation, name) => !name.startsWith(`no_${operation}`),
  images: { diskFormats: ['raw', 'qcow2'], containerFormats: ['bare'] },
  limits: { propertyQuota: 2, tagQuota: 2 },
  ...more,
});
type Attribute = Extract<ImageChange, { target: 'attribute' }>['name'];
const attribute = (name: Attribute, value?: unknown, op: ImageChange['op'] = 'set'): ImageChange => ({
  target: 'attribute',
  op,
  name,
  value,
});
const property = (op: ImageChange['op'], name: string, value = 'v'): ImageChange => ({
  target: 'property',
  op,
  name,
  ...(op === 'remove' ? {} : { value }),
});

describe('applyChanges', () => {
  it.each<[string, ImageChange, string]>([
    ['removing an attribute', attribute('name', undefined, 'remove'), 'PROPERTY_FORBIDDEN'],
    ['adding an attribute in the old dialect', attribute('name', 'x', 'add'), 'PROPERTY_DUPLICATE'],
    ['adding a property that is there in the old dialect', property('add', 'here'), 'PROPERTY_DUPLICATE'],
    ['replacing a property that is absent', property('replace', 'absent'), 'PROPERTY_NOT_FOUND'],
    ['removing a property that is absent', property('remove', 'absent'), 'PROPERTY_NOT_FOUND'],
    ['a reserved property', property('remove', 'os_glance_failed_import'), 'PROPERTY_FORBIDDEN'],
    ['a read-only property', property('set', 'checksum'), 'PROPERTY_FORBIDDEN'],
    ['a property with a long name', property('set', 'x'.repeat(256)), 'IMAGE_INVALID'],
    ['a property beyond the BMP', property('set', 'x', '🙂'), 'IMAGE_INVALID'],
    ['an owner by somebody who is no admin', attribute('owner', 'p1', 'replace'), 'ACTION_FORBIDDEN'],
    ['an unknown visibility', attribute('visibility', 'secret'), 'IMAGE_INVALID'],
    ['a visibility that policy forbids', attribute('visibility', 'public'), 'ACTION_FORBIDDEN'],
    ['an unknown format', attribute('disk_format', 'floppy'), 'IMAGE_INVALID'],
    ['a negative min_disk', attribute('min_disk', -1), 'IMAGE_INVALID'],
    ['a protected that is no boolean', attribute('protected', 'yes'), 'IMAGE_INVALID'],
    ['tags beyond the quota', attribute('tags', ['a', 'a', 'a']), 'QUOTA_EXCEEDED'],
    ['locations', { target: 'locations', op: 'add', position: '-' }, 'ACTION_FORBIDDEN'],
  ])('refuses %s', (_, change, code) => {
    expect(() => applyChanges(theImage(), [change], rules())).toThrow(expect.objectContaining({ code }));
  });

  it('leaves the image that it was given alone', () => {
    const image = theImage();

    applyChanges(image, [property('set', 'new'), property('remove', 'here')], rules());

    expect(image).toEqual(theImage());
  });

  it('refuses other formats once there is data', () => {
    const change = [attribute('disk_format', 'qcow2')];

    expect(applyChanges(theImage({ status: 'importing' }), change, rules()).diskFormat).toBe('qcow2');
    expect(() => applyChanges(theImage({ status: 'active' }), change, rules())).toThrow(
      expect.objectContaining({ code: 'PROPERTY_FORBIDDEN' }),
    );
  });

  it('lets an image that is over its quota lose properties and change them, but gain none', () => {
    const over = theImage({ properties: { a: '1', b: '2', c: '3', os_glance_x: '' } });

    expect({ ...applyChanges(over, [property('remove', 'a')], rules()).properties }).not.toHaveProperty('a');
    expect(applyChanges(over, [property('set', 'a', '9')], rules()).properties['a']).toBe('9');
    expect(() => applyChanges(over, [property('set', 'd')], rules())).toThrow(
      expect.objectContaining({ code: 'QUOTA_EXCEEDED' }),
    );
  });

  it('lets an admin change the owner', () => {
    const changed = applyChanges(theImage(), [attribute('owner', null)], rules({ isAdmin: true }));

    expect(changed.owner).toBeNull();
  });

  it('takes `stores` for a property like any other', () => {
    expect(applyChanges(theImage(), [property('set', 'stores', 'x')], rules()).properties['stores']).toBe(
      'x',
    );
  });
});
