import { randomUUID } from 'node:crypto';
import type { ImageChange } from '@glimpse/contracts';
import { describe, expect, it } from '@jest/globals';
import {
  type RegistryUnderTest,
  aCaller,
  aNewImage,
  anAdmin,
  startRegistryOn,
} from '../registry-harness.conformance.js';
import { saveProperties } from './image-properties.js';

const setProperty = (name: string, value: string): ImageChange => ({
  target: 'property',
  op: 'set',
  name,
  value,
});
const removeProperty = (name: string): ImageChange => ({ target: 'property', op: 'remove', name });

export function describeImages(registry: () => RegistryUnderTest, url: () => string): void {
  const owner = aCaller('p1');
  const stranger = aCaller('p2');
  const create = (more = {}, ctx = owner) => registry().images.create(ctx, aNewImage(more));

  describe('creating', () => {
    it('gives back what was asked for, with the defaults', async () => {
      const image = await create({ tags: ['a', 'A', 'a'], properties: { os: 'x', kernel_id: null } });

      expect(image).toMatchObject({
        status: 'queued',
        visibility: 'shared',
        owner: 'p1',
        size: null,
        stores: [],
      });
      const read = await registry().images.get(owner, image.id);
      expect(read.tags.toSorted()).toEqual(['A', 'a']);
      expect({ ...read.properties }).toEqual({ os: 'x', kernel_id: null });
      expect({ ...read, tags: [], properties: {} }).toEqual({ ...image, tags: [], properties: {} });
    });

    it('refuses an id that is taken, also by an image that is gone', async () => {
      const id = randomUUID();
      await create({ id });

      await expect(create({ id })).rejects.toMatchObject({ code: 'IMAGE_DUPLICATE' });
      await registry().images.delete(owner, id);
      await expect(create({ id: id.toUpperCase() })).rejects.toMatchObject({ code: 'IMAGE_DUPLICATE' });
    });

    it.each([
      ['an owner that is another project', { owner: 'p2' }, 'ACTION_FORBIDDEN'],
      ['no owner at all', { owner: null }, 'ACTION_FORBIDDEN'],
      ['to be public', { visibility: 'public' }, 'ACTION_FORBIDDEN'],
      ['a property that is reserved', { properties: { os_glance_x: '1' } }, 'PROPERTY_FORBIDDEN'],
      ['a property that is read-only', { properties: { os_hash_algo: 'x' } }, 'PROPERTY_FORBIDDEN'],
      ['a property with a long name', { properties: { ['x'.repeat(256)]: '1' } }, 'IMAGE_INVALID'],
      ['a property that is too long', { properties: { x: 'é'.repeat(40_000) } }, 'IMAGE_INVALID'],
      ['a name beyond the BMP', { name: '🙂' }, 'IMAGE_INVALID'],
      ['a negative min_ram', { minRam: -1 }, 'IMAGE_INVALID'],
      ['a min_disk beyond 32 bits', { minDisk: 2 ** 31 }, 'IMAGE_INVALID'],
      ['a format nobody knows', { diskFormat: 'floppy' }, 'IMAGE_INVALID'],
      ['more tags than the quota', { tags: Array.from({ length: 129 }, () => 'same') }, 'QUOTA_EXCEEDED'],
      [
        'more properties than the quota',
        { properties: Object.fromEntries(Array.from({ length: 129 }, (_, i) => [`p${i}`, ''])) },
        'QUOTA_EXCEEDED',
      ],
    ])('refuses %s', async (_, request, code) => {
      await expect(create(request)).rejects.toMatchObject({ code });
    });

    it('lets an admin create for anybody, and a caller without project for nobody', async () => {
      expect(await create({ owner: 'p9', visibility: 'public' }, anAdmin())).toMatchObject({ owner: 'p9' });
      expect(await create({}, aCaller(null))).toMatchObject({ owner: null });
    });

    it('never fails unexpectedly on names that the database may take for the same', async () => {
      const outcome = await create({ properties: { Foo: '1', foo: '2' } }).catch((error: unknown) => error);

      expect(outcome).toMatchObject(
        outcome instanceof Error ? { code: 'PROPERTY_DUPLICATE' } : { status: 'queued' },
      );
    });
  });

  describe('changing', () => {
    it('sets, replaces and removes in order, and bumps updated_at', async () => {
      const image = await create({ properties: { a: '1', b: '2' }, tags: ['x'] });
      registry().clock.pass(5_000);

      const changed = await registry().images.update(owner, image.id, [
        { target: 'property', op: 'replace', name: 'a', value: '9' },
        removeProperty('b'),
        setProperty('c', ''),
        { target: 'attribute', op: 'set', name: 'tags', value: ['y', 'x'] },
        { target: 'attribute', op: 'replace', name: 'min_disk', value: 4 },
        { target: 'attribute', op: 'set', name: 'visibility', value: 'private' },
      ]);

      const read = await registry().images.get(owner, image.id);
      expect({ ...read.properties }).toEqual({ a: '9', c: '' });
      expect(read.tags.toSorted()).toEqual(['x', 'y']);
      expect(read).toMatchObject({ minDisk: 4, visibility: 'private', createdAt: image.createdAt });
      expect(read.updatedAt).not.toBe(image.updatedAt);
      expect(changed.updatedAt).toBe(read.updatedAt);
    });

    it('saves nothing when one of the operations fails', async () => {
      const image = await create();
      registry().clock.pass(5_000);

      const update = registry().images.update(owner, image.id, [
        setProperty('new', '1'),
        removeProperty('absent'),
      ]);

      await expect(update).rejects.toMatchObject({ code: 'PROPERTY_NOT_FOUND' });
      expect(await registry().images.get(owner, image.id)).toEqual(image);
    });

    it('answers an empty change with the image, to anybody who sees it', async () => {
      const image = await create({ visibility: 'public' }, anAdmin());

      expect(await registry().images.update(stranger, image.id, [])).toEqual(image);
    });

    it('revives the row of a property that comes back, and clears its time of deletion', async () => {
      const image = await create({ properties: { os: 'one' } });
      await registry().images.update(owner, image.id, [removeProperty('os')]);
      const [removed] = await registry().rows('image_properties', `image_id = '${image.id}'`);

      await registry().images.update(owner, image.id, [setProperty('os', 'two')]);

      expect(removed).toMatchObject({ deleted: 1, deleted_at: expect.any(String) });
      const rows = await registry().rows('image_properties', `image_id = '${image.id}'`);
      expect(rows).toMatchObject([{ id: removed?.id, deleted: 0, deleted_at: null, value: 'two' }]);
    });

    it('takes the row of a removed property for another name that the database takes for the same', async () => {
      const image = await create({ properties: { foo: '1' } });

      const changed = await registry().images.update(owner, image.id, [
        removeProperty('foo'),
        setProperty('Foo', '2'),
      ]);

      expect({ ...changed.properties }).toEqual({ Foo: '2' });
      const read = await registry().images.get(owner, image.id);
      expect({ ...read.properties }).toEqual({ Foo: '2' });
    });

    it('does so among more properties than fit in one statement', async () => {
      const image = await create({ properties: { foo: '1' } });
      const many = Object.fromEntries(Array.from({ length: 250 }, (_, index) => [`p${index}`, 'new']));
      const now = registry().clock.databaseNow();
      const { unitOfWork } = registry().database;
      await unitOfWork.run((tx) => saveProperties(tx, image.id, { foo: '1' }, {}, now));

      await unitOfWork.run((tx) => saveProperties(tx, image.id, {}, { ...many, Foo: '2' }, now));

      const read = await registry().images.get(owner, image.id);
      expect({ ...read.properties }).toEqual({ ...many, Foo: '2' });
    });

    it('loses no property when many change the image at once, in two registries', async () => {
      const other = await startRegistryOn(url());
      const image = await create();
      const names = Array.from({ length: 12 }, (_, index) => `p${index}`);

      await Promise.all(
        names.map((name, index) =>
          (index % 2 === 0 ? registry() : other).images.update(owner, image.id, [setProperty(name, name)]),
        ),
      );

      const read = await other.images.get(owner, image.id);
      expect(Object.keys(read.properties).toSorted()).toEqual(names.toSorted());
      await other.close();
    });

    it('tells those who see the image that they may not, and the others that there is none', async () => {
      const visible = await create({ visibility: 'public' }, anAdmin('p1'));
      const hidden = await create({ visibility: 'private' });
      const change = [setProperty('x', '1')];

      await expect(registry().images.update(stranger, visible.id, change)).rejects.toMatchObject({
        code: 'ACTION_FORBIDDEN',
      });
      await expect(registry().images.update(stranger, hidden.id, change)).rejects.toMatchObject({
        code: 'IMAGE_NOT_FOUND',
      });
      await expect(registry().images.update(stranger, 'x'.repeat(300), change)).rejects.toMatchObject({
        code: 'IMAGE_NOT_FOUND',
      });
    });

    it('adds and removes tags by their exact name', async () => {
      const image = await create({ tags: ['a', 'A'] });

      await registry().tags.add(owner, image.id, 'a');
      await registry().tags.add(owner, image.id, 'b');
      await registry().tags.remove(owner, image.id, 'A');

      const read = await registry().images.get(owner, image.id);
      expect(read.tags.toSorted()).toEqual(['a', 'b']);
      await expect(registry().tags.remove(owner, image.id, 'A')).rejects.toMatchObject({
        code: 'TAG_NOT_FOUND',
      });
      await expect(registry().tags.add(owner, image.id, 'x'.repeat(256))).rejects.toMatchObject({
        code: 'IMAGE_INVALID',
      });
    });
  });

  describe('reading', () => {
    it('finds an image whatever the case of the id, and no other', async () => {
      const image = await create();

      const found = await Promise.all(
        [image.id, image.id.toUpperCase(), image.id].map((id) => registry().images.get(owner, id)),
      );

      expect(found).toEqual([image, image, image]);
      for (const id of ['', 'nothing', `${image.id} `, 'x'.repeat(37), '🙂', "' OR 1=1"])
        await expect(registry().images.get(owner, id)).rejects.toMatchObject({ code: 'IMAGE_NOT_FOUND' });
    });

    it('shows a shared image to members in any state, and to nobody else', async () => {
      const image = await create();
      await registry().insert('image_members', {
        image_id: image.id,
        member: 'p2',
        can_share: 0,
        status: 'rejected',
        created_at: '2026-01-01 00:00:00',
        updated_at: '2026-01-01 00:00:00',
        deleted: 0,
      });

      expect(await registry().images.get(stranger, image.id)).toEqual(image);
      await expect(registry().images.get(aCaller('p3'), image.id)).rejects.toMatchObject({
        code: 'IMAGE_NOT_FOUND',
      });
      await registry().images.update(owner, image.id, [
        { target: 'attribute', op: 'set', name: 'visibility', value: 'private' },
      ]);
      await expect(registry().images.get(stranger, image.id)).rejects.toMatchObject({
        code: 'IMAGE_NOT_FOUND',
      });
    });

    it('keeps a property called __proto__ apart from the rest', async () => {
      const properties = JSON.parse('{"__proto__": "x", "constructor": "y"}') as Record<string, string>;
      const image = await create({ properties });

      const read = await registry().images.get(owner, image.id);

      expect(new Map(Object.entries(read.properties))).toEqual(new Map(Object.entries(properties)));
    });
  });

  describe('deleting', () => {
    it('marks the image and all that belongs to it, once', async () => {
      const image = await create({ properties: { a: '1' }, tags: ['t'] });

      await registry().images.delete(owner, image.id);

      const [row] = await registry().rows('images', `id = '${image.id}'`);
      expect(row).toMatchObject({ status: 'deleted', deleted: 1, deleted_at: row?.updated_at });
      for (const table of ['image_properties', 'image_tags'] as const)
        expect(await registry().rows(table, `image_id = '${image.id}'`)).toMatchObject([
          { deleted: 1, deleted_at: row?.deleted_at },
        ]);
      await expect(registry().images.get(anAdmin(), image.id)).rejects.toMatchObject({
        code: 'IMAGE_NOT_FOUND',
      });
      await expect(registry().images.delete(owner, image.id)).rejects.toMatchObject({
        code: 'IMAGE_NOT_FOUND',
      });
      expect(await registry().rows('jobs', `image_id = '${image.id}'`)).toEqual([]);
    });

    it('spares a protected image', async () => {
      const image = await create({ protected: true });

      await expect(registry().images.delete(owner, image.id)).rejects.toMatchObject({
        code: 'IMAGE_PROTECTED',
      });
      expect(await registry().images.get(owner, image.id)).toEqual(image);
    });
  });
}
