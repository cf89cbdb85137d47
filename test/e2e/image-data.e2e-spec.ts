import { createHash } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { ImageApi, eachMode } from '@glimpse/testing';

const DATA = 'the data of an image';
const hash = (algorithm: string, encoding: 'hex' | 'base64' = 'hex') =>
  createHash(algorithm).update(DATA).digest(encoding);
const ETAG = `"sha512-${hash('sha512')}"`;

eachMode('Image data', (glimpse) => {
  const api = new ImageApi(() => glimpse().url);
  let file: string;
  let empty: string;
  beforeAll(async () => {
    const { id } = await api.create();
    await api.upload(id, DATA);
    file = `/v2/images/${id}/file`;
    empty = `/v2/images/${(await api.create()).id}/file`;
  });

  const get = (headers: Record<string, string> = {}, path = file) => api.send('GET', path, { headers });

  it('has a strong validator and says that it can be read in ranges', async () => {
    const { status, headers } = await get();

    expect(status).toBe(200);
    expect(headers.get('etag')).toBe(ETAG);
    expect(headers.get('accept-ranges')).toBe('bytes');
    expect(headers.get('content-md5')).toBe(hash('md5'));
    expect(headers.get('content-type')).toBe('application/octet-stream');
    expect(headers.get('last-modified')).toBeNull();
    expect(headers.get('repr-digest')).toBeNull();
  });

  it('has its digest where a client wants it, of the whole even with a range', async () => {
    const { status, headers } = await get({ 'want-repr-digest': 'sha-512=5', range: 'bytes=0-1' });

    expect(status).toBe(206);
    expect(headers.get('repr-digest')).toBe(`sha-512=:${hash('sha512', 'base64')}:`);
  });

  describe('asked for on a condition', () => {
    it('is not sent to a client that has it', async () => {
      const { status, headers, text } = await get({ 'if-none-match': `"other", ${ETAG}` });

      expect([status, text, headers.get('etag')]).toEqual([304, '', ETAG]);
      expect((await get({ 'if-none-match': '"other"' })).text).toBe(DATA);
    });

    it('is refused where the client means other data', async () => {
      expect((await get({ 'if-match': '"other"' })).status).toBe(412);
      expect((await get({ 'if-match': `W/${ETAG}` })).status).toBe(412);
      expect((await get({ 'if-match': ETAG })).text).toBe(DATA);
      expect((await get({ 'if-match': '*' })).text).toBe(DATA);
    });

    it('is sent from where a download broke off, or whole where it is other data', async () => {
      const range = 'bytes=4-';

      expect(await get({ range, 'if-range': ETAG })).toMatchObject({ status: 206, text: DATA.slice(4) });
      for (const other of ['"other"', `W/${ETAG}`, 'Wed, 21 Oct 2015 07:28:00 GMT'])
        expect(await get({ range, 'if-range': other })).toMatchObject({ status: 200, text: DATA });
      expect(await get({ 'if-range': ETAG })).toMatchObject({ status: 200, text: DATA });
    });

    it('is not there yet: nothing matches', async () => {
      expect((await get({ 'if-match': '*' }, empty)).status).toBe(412);
      expect((await get({ 'if-none-match': '*' }, empty)).status).toBe(204);
    });
  });

  describe('HEAD', () => {
    const head = (headers: Record<string, string> = {}, path = file) =>
      new Promise<{ status: number; headers: Record<string, unknown>; bytes: number }>((resolve, reject) => {
        const sent = httpRequest(`${glimpse().url}${path}`, { method: 'HEAD', headers, agent: false });
        sent.on('error', reject);
        sent.on('response', (response) => {
          let bytes = 0;
          response.on('data', (chunk: Buffer) => {
            bytes += chunk.length;
          });
          response.on('end', () =>
            resolve({ status: response.statusCode ?? 0, headers: response.headers, bytes }),
          );
        });
        sent.end();
      });

    it('says what GET would, without the data', async () => {
      const { status, headers, bytes } = await head({ range: 'bytes=0-1' });

      expect([status, bytes]).toEqual([200, 0]);
      expect(headers).toMatchObject({
        'content-length': String(DATA.length),
        'content-type': 'application/octet-stream',
        'content-md5': hash('md5'),
        'accept-ranges': 'bytes',
        etag: ETAG,
      });
    });

    it('answers as GET without data, without an image, and on conditions', async () => {
      expect((await head({}, empty)).status).toBe(204);
      expect((await head({}, '/v2/images/none/file')).status).toBe(404);
      expect((await head({ 'if-none-match': ETAG })).status).toBe(304);
      expect((await head({ 'if-match': '"other"' })).status).toBe(412);
    });
  });
});
