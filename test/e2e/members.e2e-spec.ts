import { describe, expect, it } from '@jest/globals';
import { eachMode } from '@glimpse/testing';
import { JSON_TYPE, callers } from './callers.js';

eachMode(
  'Sharing an image',
  (glimpse) => {
    const { owner, consumer, stranger, admin } = callers(() => glimpse().url);
    const membersOf = (id: string, member = '') =>
      `/v2/images/${id}/members${member === '' ? '' : `/${member}`}`;
    const share = (id: string, body: unknown, by = owner) =>
      by.send('POST', membersOf(id), { headers: JSON_TYPE, body: JSON.stringify(body) });
    const setStatus = (id: string, member: string, status: string, by = consumer) =>
      by.send('PUT', membersOf(id, member), { headers: JSON_TYPE, body: JSON.stringify({ status }) });

    it('goes from the owner to the consumer’s list', async () => {
      const { id } = await owner.create();

      const shared = await share(id, { member: 'consumer' });
      const pending = await consumer.list();
      const accepted = await setStatus(id, 'consumer', 'accepted');

      expect(shared.status).toBe(200);
      expect(JSON.parse(shared.text)).toEqual({
        member_id: 'consumer',
        image_id: id,
        status: 'pending',
        created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
        updated_at: expect.any(String),
        schema: '/v2/schemas/member',
      });
      expect(pending).toEqual([]);
      expect(JSON.parse(accepted.text)).toMatchObject({ status: 'accepted' });
      expect((await consumer.list()).map((image) => image.id)).toEqual([id]);
      const { text } = await owner.expect(200, 'GET', membersOf(id));
      expect(JSON.parse(text)).toEqual({
        members: [expect.objectContaining({ member_id: 'consumer', status: 'accepted' })],
        schema: '/v2/schemas/members',
      });
      await owner.expect(204, 'DELETE', membersOf(id, 'consumer'));
      expect(await consumer.list()).toEqual([]);
    });

    it('leaves a rejected image readable by its id', async () => {
      const { id } = await owner.create();
      await owner.upload(id, 'data');
      await share(id, { member: 'consumer' });
      await setStatus(id, 'consumer', 'rejected');

      expect((await consumer.download(id)).toString()).toBe('data');
    });

    it.each<[number, unknown]>([
      [200, { member: 'a b' }],
      [200, { member: 'x', more: true }],
      [400, {}],
      [400, { member: '' }],
      [400, { member: null }],
      [400, { member: ['x'] }],
      [400, { member: 'x'.repeat(256) }],
      [400, { member: '😀' }],
      [400, []],
    ])('answers %i to %j', async (status, body) => {
      const { id } = await owner.create();

      expect((await share(id, body)).status).toBe(status);
    });

    it('gives a number back as it was sent', async () => {
      const { id } = await owner.create();

      expect(JSON.parse((await share(id, { member: 42 })).text)).toHaveProperty('member_id', 42);
      const { text } = await owner.expect(200, 'GET', membersOf(id, '42'));
      expect(JSON.parse(text)).toHaveProperty('member_id', '42');
    });

    it('reaches members whose names are not ASCII', async () => {
      const { id } = await owner.create();
      await share(id, { member: 'café' });

      await owner.expect(200, 'GET', membersOf(id, encodeURIComponent('café')));
      await owner.expect(204, 'DELETE', membersOf(id, encodeURIComponent('café')));
    });

    it('answers each refusal with its status', async () => {
      const { id } = await owner.create();
      const open = await owner.create({ visibility: 'community' });
      await share(id, { member: 'consumer' });
      const statusOf = async (answer: Promise<{ status: number }>) => (await answer).status;

      expect(await statusOf(share(id, { member: 'consumer' }))).toBe(409);
      expect(await statusOf(share(id, { member: 'x' }, consumer))).toBe(403);
      expect(await statusOf(share(id, { member: 'x' }, stranger))).toBe(404);
      expect(await statusOf(share(open.id, { member: 'x' }))).toBe(403);
      expect(await statusOf(setStatus(id, 'consumer', 'accepted', owner))).toBe(403);
      expect(await statusOf(setStatus(id, 'consumer', 'accepted', stranger))).toBe(404);
      expect(await statusOf(setStatus(id, 'consumer', 'perhaps'))).toBe(400);
      expect(await statusOf(setStatus(id, 'consumer', 'accepted', admin))).toBe(200);
      await consumer.expect(403, 'DELETE', membersOf(id, 'consumer'));
      await stranger.expect(404, 'GET', membersOf(id, 'consumer'));
      await owner.expect(404, 'GET', membersOf(id, 'nobody'));
      await owner.expect(404, 'GET', membersOf(id, 'x'.repeat(300)));
      await owner.expect(403, 'GET', membersOf(open.id));
      await owner.expect(404, 'GET', membersOf(open.id, 'consumer'));
      await owner.expect(400, 'DELETE', membersOf(id, 'consumer'), { body: '{}' });
      const other = await owner.send('PATCH', membersOf(id));
      expect([other.status, other.headers.get('allow')]).toEqual([405, 'GET, POST']);
    });

    describe('its schemas', () => {
      it.each(['member', 'members'])('include /v2/schemas/%s', async (name) => {
        const { text } = await stranger.expect(200, 'GET', `/v2/schemas/${name}`);

        expect(JSON.parse(text)).toMatchObject({ name, properties: { schema: { type: 'string' } } });
      });
    });
  },
  { auth: 'headers' },
);
