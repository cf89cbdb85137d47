import { randomUUID } from 'node:crypto';
import { ImageApi, eachMode, waitFor } from '@glimpse/testing';
import { expect, it } from '@jest/globals';
import { JSON_TYPE, V21, callers } from './callers.js';

eachMode(
  'anonymous access',
  (glimpse) => {
    const url = () => glimpse().url;
    const { owner } = callers(url);
    const nobody = new ImageApi(url);

    it.each([
      ['POST', '', JSON_TYPE, '{}'],
      ['PATCH', '/ID', V21, '[]'],
      ['DELETE', '/ID', {}, undefined],
      ['PUT', '/ID/file', { 'content-type': 'application/octet-stream' }, 'data'],
      ['PUT', '/ID/tags/t', {}, undefined],
      ['DELETE', '/ID/tags/t', {}, undefined],
      ['POST', '/ID/members', JSON_TYPE, '{"member":"p2"}'],
      ['PUT', '/ID/members/p2', JSON_TYPE, '{"status":"accepted"}'],
      ['DELETE', '/ID/members/p2', {}, undefined],
      ['POST', '/ID/actions/deactivate', {}, undefined],
    ])('changes nothing, be the image there or not: %s /v2/images%s', async (method, path, headers, body) => {
      const { id } = await owner.create();
      for (const name of [id, randomUUID()]) {
        const at = `/v2/images${path.replace('ID', name)}`;
        const options = body === undefined ? { headers } : { headers, body };
        const { text } = await nobody.expect(403, method, at, options);
        expect(text).toContain('Read-only access');
      }
    });

    it('is on record where it was tried', async () => {
      const id = randomUUID();
      await nobody.expect(403, 'DELETE', `/v2/images/${id}`);

      const line = await waitFor('the record', () =>
        glimpse()
          .logs.split('\n')
          .find((text) => text.includes('"msg":"audit"') && text.includes(id)),
      );

      expect(JSON.parse(line)).toMatchObject({
        audit: {
          action: 'delete',
          outcome: 'failure',
          reason: { reasonCode: 'ACTION_FORBIDDEN' },
          initiator: { id: 'anonymous', host: { address: '127.0.0.1' } },
          target: { id, typeURI: 'service/storage/image' },
        },
      });
    });
  },
  {
    auth: 'headers',
    env: { GLIMPSE_ALLOW_ANONYMOUS_ACCESS: 'true', GLIMPSE_AUDIT_DENIED_WINDOW_MS: '1000' },
  },
);
