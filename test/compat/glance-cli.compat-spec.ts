import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from '@jest/globals';
import { eachMode } from '@glimpse/testing';
import { makeDiskImage } from '../../scripts/demo/disk-image.js';
import { runClient } from './client.js';
import { rowsOf } from './printed-table.js';

eachMode('The glance command', (glimpse) => {
  const folder = mkdtempSync(join(tmpdir(), 'glimpse-glance-'));
  const { path, diskFormat } = makeDiskImage(folder);
  afterAll(() => rmSync(folder, { recursive: true }));

  const glance = (...args: string[]) =>
    runClient(folder, 'glance', ['--os-image-url', glimpse().url, '--os-auth-token', 'x', ...args]);
  const details = async (...args: string[]) =>
    Object.fromEntries(rowsOf(await glance(...args))) as Record<string, string>;

  let id: string;

  it('creates an image from a file', async () => {
    const format = ['--disk-format', diskFormat, '--container-format', 'bare'];
    const created = await details('image-create', '--name', 'from-file', ...format, '--file', path);

    expect(created).toMatchObject({ name: 'from-file', status: 'active', disk_format: diskFormat });
    id = created['id']!;
  });

  it('lists it', async () => {
    expect(rowsOf(await glance('image-list'))).toEqual([[id, 'from-file']]);
  });

  it('downloads its data and finds the hash right', async () => {
    const copy = join(folder, 'copy');

    await glance('image-download', '--file', copy, id);

    expect(readFileSync(copy).equals(readFileSync(path))).toBe(true);
  });

  it('updates it', async () => {
    await glance('image-update', '--name', 'renamed', '--property', 'os_distro=debian', id);
    await glance('image-tag-update', id, 'blue');

    expect(await details('image-show', id)).toMatchObject({
      name: 'renamed',
      os_distro: 'debian',
      tags: '["blue"]',
    });
  });

  it('uploads data to an image that was created without', async () => {
    const created = await details(
      'image-create',
      '--name',
      'later',
      '--disk-format',
      diskFormat,
      '--container-format',
      'bare',
    );
    expect(created).toMatchObject({ status: 'queued' });

    await glance('image-upload', '--file', path, created['id']!);

    expect(await details('image-show', created['id']!)).toMatchObject({ status: 'active' });
    await glance('image-delete', created['id']!);
  });

  it('deletes it', async () => {
    await glance('image-delete', id);

    expect(rowsOf(await glance('image-list'))).toEqual([]);
  });
});
