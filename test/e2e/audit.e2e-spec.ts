import { AuditRecord } from '@glimpse/contracts';
import { type Glimpse, ImageApi, eachMode, waitFor } from '@glimpse/testing';
import { connect } from 'amqplib';
import { beforeAll, expect, it } from '@jest/globals';
import { V21, callers } from './callers.js';

const SECRET = 'planted-token-8c1f';

eachMode(
  'the audit trail',
  (glimpse: () => Glimpse, mode) => {
    const url = () => glimpse().url;
    const { owner, stranger, reader } = callers(url);
    const onBus: AuditRecord[] = [];
    beforeAll(async () => {
      const busUrl = glimpse().env['GLIMPSE_BUS_URL'];
      if (busUrl === undefined) return;
      const connection = await connect(busUrl);
      // It ends with its virtual host, which goes when Glimpse is stopped.
      connection.on('error', () => undefined);
      const channel = await connection.createChannel();
      const { queue } = await channel.assertQueue('', { exclusive: true });
      await channel.bindQueue(queue, 'glimpse.events', 'audit.recorded');
      await channel.consume(queue, (message) => {
        if (message !== null) onBus.push(AuditRecord.parse(JSON.parse(message.content.toString())));
      });
    });

    const inLog = (): AuditRecord[] =>
      (glimpse().running('registry')[0]?.log ?? '')
        .split('\n')
        .filter((line) => line.includes('"msg":"audit"'))
        .map((line) => AuditRecord.parse((JSON.parse(line) as { audit: unknown }).audit));

    /** What is on record of the image: the same in the log and, where there is one to listen to, on the bus. */
    async function recordsOf(id: string, count: number): Promise<AuditRecord[]> {
      const about = (records: AuditRecord[]) => records.filter(({ target }) => target.id === id);
      const idsOf = (records: AuditRecord[]) =>
        about(records)
          .map((record) => record.id)
          .toSorted()
          .join(' ');
      await waitFor(`${count} records in the log`, () => about(inLog()).length >= count);
      if (mode === 'distributed')
        await waitFor('the same records on the bus', () => idsOf(onBus) === idsOf(inLog()));
      return about(inLog());
    }

    it('has what was done to an image, by whom and from where', async () => {
      const { id } = await owner.create();
      await owner.expect(200, 'PATCH', `/v2/images/${id}`, {
        headers: V21,
        body: JSON.stringify([{ op: 'replace', path: '/name', value: 'n' }]),
      });
      await owner.upload(id, 'data');
      await owner.expect(204, 'PUT', `/v2/images/${id}/tags/t`);
      await owner.delete(id);

      const records = await recordsOf(id, 5);

      expect(records.map(({ action, target }) => `${action} ${target.typeURI}`)).toEqual([
        'create service/storage/image',
        'update service/storage/image',
        'update service/storage/image/file',
        'create service/storage/image/tag',
        'delete service/storage/image',
      ]);
      for (const { outcome, initiator } of records) {
        expect(outcome).toBe('success');
        expect(initiator).toMatchObject({
          id: 'user-of-owner',
          project_id: 'owner',
          host: { address: '127.0.0.1' },
        });
      }
    });

    it('has who was refused, whether he was told 403 or 404, and counts repetitions', async () => {
      const { id } = await owner.create({ visibility: 'private' });
      for (let i = 0; i < 5; i += 1) await reader.expect(403, 'DELETE', `/v2/images/${id}`);
      await stranger.expect(404, 'GET', `/v2/images/${id}`);

      const [created, ...refused] = await recordsOf(id, 3);

      expect(created?.outcome).toBe('success');
      const counted = refused
        .filter(({ reason }) => reason?.policyId === 'delete_image')
        .flatMap(({ tags }) => tags ?? [])
        .filter((tag) => tag.startsWith('count:'))
        .reduce((sum, tag) => sum + Number(tag.slice('count:'.length)), 0);
      expect(counted).toBe(5);
      expect(refused).toContainEqual(
        expect.objectContaining({
          action: 'read',
          outcome: 'failure',
          reason: { reasonCode: 'IMAGE_NOT_FOUND', policyId: 'get_image' },
          initiator: expect.objectContaining({ project_id: 'stranger' }),
        }),
      );
    });

    it('has who was refused by other than the rules of the policy', async () => {
      const { id } = await owner.create({ visibility: 'shared', protected: true });
      await owner.expect(403, 'DELETE', `/v2/images/${id}`);
      await owner.expect(403, 'PATCH', `/v2/images/${id}`, {
        headers: V21,
        body: JSON.stringify([{ op: 'replace', path: '/owner', value: 'stranger' }]),
      });
      await stranger.expect(403, 'GET', `/v2/images?marker=${id}`);
      await stranger.expect(404, 'GET', `/v2/images/${id}/members/stranger`);

      const [, ...refused] = await recordsOf(id, 5);

      expect(refused.map(({ action, reason }) => `${action} ${reason?.reasonCode}`).toSorted()).toEqual([
        'delete IMAGE_PROTECTED',
        'read IMAGE_NOT_FOUND',
        'read MARKER_FORBIDDEN',
        'update ACTION_FORBIDDEN',
      ]);
    });

    it('has nothing of who could not be told, but the log says from where they came, and not their token', async () => {
      const unknown = new ImageApi(url, { 'x-auth-token': SECRET, 'x-openstack-request-id': 'req-unknown' });

      await unknown.expect(401, 'GET', '/v2/images');

      const line = await waitFor('the access line', () =>
        glimpse()
          .logs.split('\n')
          .find((text) => text.includes('req-unknown') && text.includes('"status":401')),
      );
      expect(JSON.parse(line)).toMatchObject({ address: '127.0.0.1', path: '/v2/images' });
      expect(glimpse().logs).not.toContain(SECRET);
    });

    it('writes what was refused last before the service ends', async () => {
      const { id } = await owner.create();
      await reader.expect(403, 'DELETE', `/v2/images/${id}`);
      const [registry] = glimpse().running('registry');

      await registry?.stop(15_000);

      expect(registry?.log).toMatch(new RegExp(`"policyId":"delete_image"[^\n]*"target":[^\n]*${id}`));
    });
  },
  { auth: 'headers', env: { GLIMPSE_AUDIT_DENIED_WINDOW_MS: '1000' } },
);
