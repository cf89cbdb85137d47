import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { eachMode, waitFor } from '@glimpse/testing';
import { V21, callers } from './callers.js';

const OCTETS = { 'content-type': 'application/octet-stream' };

eachMode(
  'Sequences of calls',
  (glimpse) => {
    const { owner, admin, consumer } = callers(() => glimpse().url);

    it('the life of an image (spec/errors-and-edge-cases.md section 13)', async () => {
      const { id } = await owner.create();
      const image = `/v2/images/${id}`;
      const protect = (value: boolean) => ({
        headers: V21,
        body: JSON.stringify([{ op: 'replace', path: '/protected', value }]),
      });

      await owner.expect(403, 'POST', `${image}/actions/deactivate`);
      await owner.expect(204, 'PUT', `${image}/file`, { headers: OCTETS, body: 'data' });
      expect(await owner.show(id)).toMatchObject({ status: 'active' });
      await owner.expect(200, 'GET', `${image}/file`);
      await owner.expect(409, 'PUT', `${image}/file`, { headers: OCTETS, body: 'data' });
      await owner.expect(400, 'POST', `${image}/actions/deactivate`, { body: '{}' });
      await owner.expect(204, 'POST', `${image}/actions/deactivate`);
      await owner.expect(204, 'POST', `${image}/actions/deactivate`);
      expect(await owner.show(id)).toMatchObject({ status: 'deactivated' });
      await owner.expect(403, 'GET', `${image}/file`);
      await admin.expect(200, 'GET', `${image}/file`);
      await consumer.expect(404, 'POST', `${image}/actions/reactivate`);
      await owner.expect(204, 'POST', `${image}/actions/reactivate`);
      await owner.expect(200, 'PATCH', image, protect(true));
      await owner.expect(403, 'DELETE', image);
      await owner.expect(200, 'PATCH', image, protect(false));
      await owner.expect(204, 'DELETE', image);
      await owner.expect(404, 'GET', image);
      await owner.expect(404, 'DELETE', image);
      await admin.expect(404, 'GET', image);
      const other = await owner.send('GET', `${image}/actions/deactivate`);
      expect([other.status, other.headers.get('allow')]).toEqual([405, 'POST']);
      await owner.expect(404, 'POST', `${image}/actions/nothing`);
    });

    it('tags', async () => {
      const { id } = await owner.create();
      const tag = (name: string) => `/v2/images/${id}/tags/${name}`;

      await owner.expect(204, 'PUT', tag('one'));
      await owner.expect(204, 'PUT', tag('one'));
      await owner.expect(204, 'DELETE', tag('one'));
      await owner.expect(404, 'DELETE', tag('one'));
      await owner.expect(400, 'PUT', tag('x'.repeat(256)));
      await owner.expect(400, 'PUT', tag('%F0%9F%99%82'));
      await owner.expect(400, 'PUT', tag('one'), { body: '{}' });
      await owner.expect(404, 'PUT', tag(''));
      await owner.expect(404, 'PUT', tag('a%2Fb'));
      await consumer.expect(404, 'PUT', tag('one'));
      await owner.expect(204, 'PUT', tag('caf%C3%A9'));
      await owner.expect(204, 'PUT', tag('%20a%20'));
      expect((await owner.show(id))['tags']).toEqual(expect.arrayContaining(['café', ' a ']));
      const open = await owner.create({ visibility: 'community' });
      await consumer.expect(403, 'PUT', `/v2/images/${open.id}/tags/one`);
      const other = await owner.send('GET', tag('one'));
      expect([other.status, other.headers.get('allow')]).toEqual([405, 'PUT, DELETE']);
    });
  },
  { auth: 'headers' },
);

eachMode(
  'Delayed delete',
  (glimpse) => {
    const { owner } = callers(() => glimpse().url);
    const isStored = (id: string) => existsSync(join(glimpse().storeDir, id));

    it('keeps the data for a while, in which an operator brings the image back', async () => {
      const { id } = await owner.create({ os: 'x', tags: ['t'] });
      await owner.upload(id, 'data');
      await owner.delete(id);
      await owner.expect(404, 'GET', `/v2/images/${id}`);

      const said = await glimpse().manage('images', 'restore', id);

      expect(said).toContain(`Image ${id} is active again.`);
      expect(await owner.show(id)).toMatchObject({ status: 'active', os: 'x', tags: ['t'] });
      expect((await owner.download(id)).toString()).toBe('data');
    });

    it('removes the data when the time is over', async () => {
      const { id } = await owner.create();
      await owner.upload(id, 'data');

      await owner.delete(id);

      expect(isStored(id)).toBe(true);
      await waitFor('the data to be removed', () => !isStored(id), 20_000);
      await expect(glimpse().manage('images', 'restore', id)).rejects.toThrow('only images that are pending');
    });
  },
  {
    auth: 'headers',
    env: {
      GLIMPSE_IMAGES_DELAYED_DELETE: 'true',
      GLIMPSE_IMAGES_SCRUB_TIME_MS: '4000',
      GLIMPSE_LEASES_REAPER_INTERVAL_MS: '500',
    },
  },
);
