import { describe, expect, it } from '@jest/globals';
import { ImageApi, eachMode } from '@glimpse/testing';

const V21 = 'application/openstack-images-v2.1-json-patch';
const V20 = 'application/openstack-images-v2.0-json-patch';

eachMode('Changing an image', (glimpse) => {
  const api = new ImageApi(() => glimpse().url);
  const patch = (id: string, operations: unknown, contentType = V21) =>
    api.send('PATCH', `/v2/images/${id}`, {
      headers: { 'content-type': contentType },
      body: JSON.stringify(operations),
    });
  const add = (path: string, value: unknown) => ({ op: 'add', path, value });

  it('sets everything by add, as clients send it', async () => {
    const { id } = await api.create({ Foo: 'old', tags: ['old'] });

    const answer = await patch(id, [
      add('/name', 'new'),
      add('/visibility', 'private'),
      add('/protected', true),
      add('/os_hidden', true),
      add('/owner', 'other'),
      add('/min_ram', 5),
      add('/tags', ['new']),
      add('/disk_format', 'qcow2'),
      add('/Foo', 'new'),
      add('/kernel_id', null),
      add('/a~1b~0c', 'pointer'),
    ]);

    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(JSON.parse(answer.text)).toMatchObject({
      name: 'new',
      visibility: 'private',
      protected: true,
      os_hidden: true,
      owner: 'other',
      min_ram: 5,
      tags: ['new'],
      disk_format: 'qcow2',
      Foo: 'new',
      kernel_id: null,
      'a/b~c': 'pointer',
    });
    expect(JSON.parse(answer.text)).toEqual(await api.show(id));
  });

  it('replaces and removes', async () => {
    const { id } = await api.create({ a: '1', b: '2' });

    const answer = await patch(id, [
      { op: 'replace', path: '/a', value: '3' },
      { op: 'remove', path: '/b' },
    ]);

    const image = JSON.parse(answer.text) as object;
    expect(image).toHaveProperty('a', '3');
    expect(image).not.toHaveProperty('b');
  });

  it('is nothing with an empty array', async () => {
    const { id } = await api.create();
    const before = await api.show(id);

    const answer = await patch(id, []);

    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.text)).toEqual(before);
  });

  it('is all or nothing', async () => {
    const { id } = await api.create({ a: '1' });

    const answer = await patch(id, [add('/a', '2'), add('/name', 'new'), { op: 'remove', path: '/absent' }]);

    expect(answer.status).toBe(409);
    expect(await api.show(id)).toMatchObject({ a: '1', name: 'test' });
  });

  it('still knows the old dialect, where add does not overwrite', async () => {
    const { id } = await api.create({ a: '1' });

    expect(
      (
        await patch(
          id,
          [
            { add: '/b', value: 'x' },
            { replace: '/name', value: 'n' },
          ],
          V20,
        )
      ).status,
    ).toBe(200);
    expect((await patch(id, [{ add: '/a', value: 'x' }], V20)).status).toBe(409);
    expect((await patch(id, [{ add: '/name', value: 'x' }], V20)).status).toBe(409);
    expect((await patch(id, [{ remove: '/a' }], V20)).status).toBe(200);
    expect(await api.show(id)).toMatchObject({ name: 'n', b: 'x' });
  });

  it.each([
    [400, { op: 'add' }],
    [400, { op: 'move', path: '/a', from: '/b' }],
    [400, { op: 'add', path: 'a', value: 'x' }],
    [400, { op: 'add', path: '/a', value: 5 }],
    [400, { op: 'add', path: '/a', value: null }],
    [400, { op: 'add', path: '/tags/-', value: 'x' }],
    [400, { op: 'add', path: '/disk_format', value: 'floppy' }],
    [400, { op: 'add', path: '/min_disk', value: -1 }],
    [400, { op: 'add', path: `/${'x'.repeat(256)}`, value: 'x' }],
    [403, { op: 'add', path: '/id', value: 'x' }],
    [403, { op: 'replace', path: '/status', value: 'active' }],
    [403, { op: 'remove', path: '/name' }],
    [403, { op: 'remove', path: '/visibility' }],
    [403, { op: 'add', path: '/os_glance_failed_import', value: 'x' }],
    [409, { op: 'replace', path: '/absent', value: 'x' }],
    [409, { op: 'remove', path: '/absent' }],
  ])('answers %i to %j', async (status, operation) => {
    const { id } = await api.create();

    expect((await patch(id, [operation])).status).toBe(status);
  });

  it('looks at the media type, then at the body, then for the image', async () => {
    const answers = [
      await patch('nonsense', 'x', 'application/json'),
      await patch('nonsense', { op: 'add' }),
      await patch('nonsense', [{ op: 'add', path: '/id', value: 'x' }]),
      await patch('nonsense', [add('/a', 'x')]),
      await patch('nonsense', []),
    ];

    expect(answers.map(({ status }) => status)).toEqual([415, 400, 403, 404, 404]);
    expect(answers[0]?.headers.get('accept-patch')).toContain(V20);
  });

  it('keeps the format of an image that has data', async () => {
    const { id } = await api.create();
    await api.upload(id, 'data');

    expect((await patch(id, [add('/disk_format', 'qcow2')])).status).toBe(403);
    expect((await patch(id, [add('/container_format', 'ovf')])).status).toBe(403);
  });

  it('refuses more properties or tags than there may be', async () => {
    const { id } = await api.create();
    const many = Array.from({ length: 129 }, (_, index) => `n${index}`);

    expect(
      (
        await patch(
          id,
          many.map((name) => add(`/${name}`, 'x')),
        )
      ).status,
    ).toBe(413);
    expect((await patch(id, [add('/tags', many)])).status).toBe(413);
  });

  describe('by somebody else', () => {
    it('of an image that is gone is 404', async () => {
      const { id } = await api.create();
      await api.delete(id);

      expect((await patch(id, [add('/a', 'x')])).status).toBe(404);
    });
  });
});
