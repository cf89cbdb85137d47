import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from '@jest/globals';
import { eachMode } from '@glimpse/testing';
import { makeDiskImage } from '../../scripts/demo/disk-image.js';
import { runClient } from './client.js';

type Shown = { id: string } & Record<string, unknown>;

eachMode('The openstack command', (glimpse) => {
  const folder = mkdtempSync(join(tmpdir(), 'glimpse-openstack-'));
  const { path, diskFormat } = makeDiskImage(folder);
  afterAll(() => rmSync(folder, { recursive: true }));

  const image = (...args: string[]) =>
    runClient(folder, 'openstack', [
      '--os-auth-type',
      'none',
      '--os-endpoint',
      glimpse().url,
      'image',
      ...args,
    ]);
  const show = async (id: string) => JSON.parse(await image('show', id, '-f', 'json')) as Shown;
  const list = async (...args: string[]) =>
    JSON.parse(await image('list', '-f', 'json', ...args)) as { ID: string; Name: string; Status: string }[];

  let id: string;

  it('creates an image from a file', async () => {
    const format = ['--disk-format', diskFormat, '--container-format', 'bare'];
    const created = await image('create', '--file', path, ...format, 'from-file', '-f', 'json');

    ({ id } = JSON.parse(created) as Shown);
    expect(await show(id)).toMatchObject({
      name: 'from-file',
      status: 'active',
      disk_format: diskFormat,
      container_format: 'bare',
      size: readFileSync(path).length,
    });
  });

  it('lists it', async () => {
    expect(await list()).toEqual([{ ID: id, Name: 'from-file', Status: 'active' }]);
    expect(await list('--name', 'from-file', '--status', 'active')).toHaveLength(1);
    expect(await list('--name', 'another')).toEqual([]);
  });

  it('shows it by its name', async () => {
    expect(await show('from-file')).toMatchObject({ id });
  });

  it('saves its data', async () => {
    const copy = join(folder, 'copy');

    await image('save', '--file', copy, id);

    expect(readFileSync(copy).equals(readFileSync(path))).toBe(true);
  });

  it('sets and unsets attributes, properties and tags', async () => {
    await image('set', id, '--name', 'renamed', '--property', 'os_distro=debian', '--tag', 'blue');
    await image('set', id, '--min-disk', '5', '--public', '--protected');

    const changed = await show(id);
    expect(changed).toMatchObject({
      name: 'renamed',
      min_disk: 5,
      visibility: 'public',
      protected: true,
      tags: ['blue'],
    });
    expect(changed['properties']).toMatchObject({ os_distro: 'debian' });

    await image('unset', id, '--property', 'os_distro', '--tag', 'blue');
    const unset = await show(id);
    expect(unset['tags']).toEqual([]);
    expect(unset['properties']).not.toHaveProperty('os_distro');
  });

  it('does not delete it while it is protected, but afterwards', async () => {
    await expect(image('delete', id)).rejects.toThrow(/403|protected/i);
    await image('set', id, '--unprotected');

    await image('delete', id);

    expect(await list()).toEqual([]);
  });
});
