import { createHash } from 'node:crypto';
import { createReadStream, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ImageApi, eachMode, waitFor } from '@glimpse/testing';
import { makeDiskImage } from '../../scripts/demo/disk-image.js';

const hash = (algorithm: string, bytes: Buffer) => createHash(algorithm).update(bytes).digest('hex');

eachMode('The life of an image', (glimpse) => {
  const api = new ImageApi(() => glimpse().url);
  const folder = mkdtempSync(join(tmpdir(), 'glimpse-lifecycle-'));
  const { path, diskFormat } = makeDiskImage(folder);
  const sent = readFileSync(path);
  const storedFile = (id: string) => join(glimpse().storeDir, id);
  let id: string;

  beforeAll(async () => {
    ({ id } = await api.create({ name: 'disk', disk_format: diskFormat }));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('begins without data', async () => {
    const image = await api.show(id);

    expect(image).toMatchObject({ status: 'queued', name: 'disk', size: null, checksum: null });
    await api.expect(204, 'GET', `/v2/images/${id}/file`);
  });

  it('takes the data of a stream of unknown length and is active with its measures', async () => {
    await api.upload(id, createReadStream(path));

    expect(await api.show(id)).toMatchObject({
      status: 'active',
      size: sent.length,
      checksum: hash('md5', sent),
      os_hash_algo: 'sha512',
      os_hash_value: hash('sha512', sent),
    });
  });

  it('keeps the data in the store directory under its id, byte for byte', () => {
    expect(readFileSync(storedFile(id)).equals(sent)).toBe(true);
  });

  it('gives the data back with its length and checksum', async () => {
    const answer = await api.expect(200, 'GET', `/v2/images/${id}/file`);

    expect(answer.body.equals(sent)).toBe(true);
    expect(answer.headers.get('content-length')).toBe(String(sent.length));
    expect(answer.headers.get('content-md5')).toBe(hash('md5', sent));
    expect(answer.headers.get('content-type')).toBe('application/octet-stream');
  });

  describe('read in part', () => {
    const { length } = sent;
    const last = length - 1;
    it.each([
      ['bytes=0-0', 0, 0],
      ['bytes=1000-70000', 1000, 70_000],
      [`bytes=${last}-`, last, last],
      ['bytes=-512', length - 512, last],
      [`bytes=10-${length * 2}`, 10, last],
    ])('answers %s with just these bytes', async (range, start, end) => {
      const answer = await api.expect(206, 'GET', `/v2/images/${id}/file`, { headers: { range } });

      expect(answer.headers.get('content-range')).toBe(`bytes ${start}-${end}/${length}`);
      expect(answer.body.equals(sent.subarray(start, end + 1))).toBe(true);
    });

    it('refuses a range behind the end', async () => {
      const headers = { range: `bytes=${length}-` };

      const answer = await api.send('GET', `/v2/images/${id}/file`, { headers });

      expect(answer.status).toBe(416);
    });
  });

  it('does not take data twice', async () => {
    const headers = { 'content-type': 'application/octet-stream' };

    await api.expect(409, 'PUT', `/v2/images/${id}/file`, { headers, body: Buffer.from('other') });

    expect(readFileSync(storedFile(id)).equals(sent)).toBe(true);
  });

  it('is on the list', async () => {
    expect((await api.list('name=disk')).map((image) => image.id)).toEqual([id]);
  });

  it('is gone at once when it is deleted, and its data soon after', async () => {
    await api.delete(id);

    await api.expect(404, 'GET', `/v2/images/${id}`);
    await api.expect(404, 'GET', `/v2/images/${id}/file`);
    expect(await api.list()).toEqual([]);
    await waitFor('the data to be removed', () => !existsSync(storedFile(id)));
  });

  it('may have no bytes at all', async () => {
    const empty = await api.create();

    await api.upload(empty.id, Buffer.alloc(0));

    expect(await api.show(empty.id)).toMatchObject({ status: 'active', size: 0 });
    expect(readFileSync(storedFile(empty.id))).toHaveLength(0);
  });
});
