import { beforeAll, describe, expect, it } from '@jest/globals';
import { ImageApi, eachMode } from '@glimpse/testing';

interface Page {
  readonly images: readonly { readonly name: string; readonly id: string }[];
  readonly first: string;
  readonly next?: string;
  readonly schema: string;
}

eachMode('The list of images', (glimpse) => {
  const api = new ImageApi(() => glimpse().url);
  const page = async (path: string) => JSON.parse((await api.expect(200, 'GET', path)).text) as Page;
  const names = async (query: string) =>
    (await page(`/v2/images?sort=name:asc&${query}`)).images.map(({ name }) => name);

  beforeAll(async () => {
    await api.create({ name: 'a', tags: ['x'], min_ram: 1, color: 'red', disk_format: 'raw' });
    await api.create({ name: 'b', tags: ['x', 'y'], min_ram: 2, color: 'red', disk_format: 'qcow2' });
    await api.create({
      name: 'c,d',
      tags: ['y'],
      min_ram: 3,
      color: 'blue',
      disk_format: 'qcow2',
      visibility: 'private',
    });
    await api.create({ name: 'e:f', protected: true, visibility: 'community', container_format: 'ovf' });
    await api.create({ name: 'hidden', os_hidden: true });
    await api.upload((await api.create({ name: 'with data' })).id, Buffer.alloc(1000));
  });

  it.each([
    ['', ['a', 'b', 'c,d', 'e:f', 'with data']],
    ['name=a', ['a']],
    ['name=nobody', []],
    ['name=in:a,b', ['a', 'b']],
    ['name=in:"c,d",a', ['a', 'c,d']],
    ['name=eq:e:f', ['e:f']],
    ['name=like:w', ['with data']],
    ['name=like:c,', ['c,d']],
    ['name=like:%25', []],
    ['disk_format=like:q&tag=y', ['b', 'c,d']],
    ['status=active', ['with data']],
    ['status=in:active,queued&disk_format=qcow2', ['b', 'c,d']],
    ['container_format=ovf', ['e:f']],
    ['visibility=private', ['c,d']],
    ['visibility=community', ['e:f']],
    ['visibility=', []],
    ['os_hidden=True', ['hidden']],
    ['protected=true', ['e:f']],
    ['tag=x', ['a', 'b']],
    ['tag=x&tag=y', ['b']],
    ['tag=x&tag=z', []],
    ['color=red', ['a', 'b']],
    ['color=red&color=blue', ['c,d']],
    ['colour=red', []],
    ['color=red&tag=y', ['b']],
    ['min_ram=2', ['b']],
    ['min_ram_min=2', ['b', 'c,d']],
    ['min_ram_min=1&min_ram_max=2', ['a', 'b']],
    ['size_min=1', ['with data']],
    ['size=1000', ['with data']],
    ['size=nonsense', []],
    ['created_at=lt:2000-01-01', []],
    ['created_at=gte:2000-01-01T00:00:00Z&name=a', ['a']],
    ['updated_at=2000-01-01T00:00:00Z', []],
    ['limit=0', []],
    ['limit=2', ['a', 'b']],
    ['limit=1&limit=2', []],
    ['deleted=true&name=a', ['a']],
    ['is_public=1', []],
  ])('?%s', async (query, expected) => {
    expect(await names(query)).toEqual(expected);
  });

  it.each([
    'limit=-1',
    'limit=x',
    'limit=',
    'marker=',
    'marker=nonsense',
    'sort=owner',
    'sort=name:sideways',
    'sort=name&sort_key=name',
    'sort_dir=asc&sort_dir=asc',
    'visibility=secret',
    'member_status=maybe',
    'os_hidden=yes',
    'protected=True',
    'name=nin:a',
    'name=in:"a',
    'size_min=big',
    'created_at=soon',
    'changes-since=2000-01-01',
    'properties=x',
    'locations=x',
    'members=x',
    'nonsense_min=1',
    'name=%FF',
    'name=%F0%9F%98%80',
  ])('refuses ?%s with 400', async (query) => {
    await api.expect(400, 'GET', `/v2/images?${query}`);
  });

  it.each([
    ['sort=name:desc', ['with data', 'e:f', 'c,d', 'b', 'a']],
    ['sort_key=disk_format&sort_key=name&sort_dir=asc', ['b', 'c,d', 'a', 'e:f', 'with data']],
    ['sort=disk_format:desc,name:asc', ['a', 'e:f', 'with data', 'b', 'c,d']],
    ['sort_key=size&sort_dir=desc&limit=1', ['with data']],
  ])('is ordered by ?%s', async (query, expected) => {
    expect((await page(`/v2/images?${query}`)).images.map(({ name }) => name)).toEqual(expected);
  });

  it.each([
    'sort=name:asc',
    'sort=size:desc',
    'sort_key=status&sort_dir=asc',
    'sort=disk_format,name:asc',
    '',
  ])('is walked page by page without a gap, by ?%s', async (sort) => {
    const whole = (await page(`/v2/images?${sort}`)).images.map(({ id }) => id);

    const walked: string[] = [];
    for (let next: string | undefined = `/v2/images?limit=2&${sort}`; next !== undefined;) {
      const { images, next: following } = await page(next);
      walked.push(...images.map(({ id }) => id));
      next = following;
    }

    expect(walked).toEqual(whole);
  });

  it('ends with an empty page when the last was full', async () => {
    const full = await page('/v2/images?limit=5');
    const last = await page(full.next ?? '');

    expect(full.images).toHaveLength(5);
    expect(last.images).toEqual([]);
    expect(last.next).toBeUndefined();
  });

  it('links without a host, with every key of the request', async () => {
    const { first, next, schema, images } = await page('/v2/images?tag=x&limit=1&tag=y&name=in:a,b');

    expect(schema).toBe('/v2/schemas/images');
    expect(first).toBe('/v2/images?tag=x&limit=1&tag=y&name=in%3Aa%2Cb');
    expect(next).toBe(`${first}&marker=${images[0]?.id}`);
    expect((await page('/v2/images')).first).toBe('/v2/images');
  });

  it('counts all pages together, up to the limit', async () => {
    const answer = await api.expect(200, 'GET', '/v2/images?count=true&limit=1&tag=x');

    expect(JSON.parse(answer.text)).toMatchObject({ count: 2, next: expect.stringContaining('count=true') });
    expect(answer.headers.get('x-total-count')).toBe('2');
    expect(JSON.parse(answer.text)).not.toHaveProperty('count_is_limit');
    expect(await page('/v2/images?count=true&limit=0')).toMatchObject({ images: [], count: 5 });
    expect(await page('/v2/images?count=true&tag=nothing')).toMatchObject({ images: [], count: 0 });
    expect(await page('/v2/images')).not.toHaveProperty('count');
  });

  it('takes a body, which says nothing', async () => {
    await api.expect(200, 'GET', '/v2/images');
  });

  describe('behind a marker', () => {
    it('goes on from an image that is not on the page itself', async () => {
      const [hidden] = await api.list('os_hidden=true');

      await api.expect(200, 'GET', `/v2/images?marker=${hidden?.id}`);
    });

    it('does not go on from an image that was deleted', async () => {
      const { id } = await api.create();
      await api.delete(id);

      await api.expect(400, 'GET', `/v2/images?marker=${id}`);
    });
  });
});
