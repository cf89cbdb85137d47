import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { SnapshotCancel, SnapshotRequest } from './snapshot-request.js';
import { SnapshotReply, rejectedSnapshotReply, toSnapshotReply } from './snapshot.js';

const least = {
  request_id: 'req-4f1c',
  instance_id: 'b6b1e0cf',
  name: 'before the upgrade',
  source: { uri: 'nbd://compute-7:10809/vda' },
};

describe('SnapshotRequest', () => {
  it('needs to say little', () => {
    const request = SnapshotRequest.parse(least);

    expect(request).toEqual({
      ...least,
      schema_version: '1.0',
      type: 'snapshot.create',
      source: { uri: least.source.uri, format: 'raw', connections: 4 },
      container_format: 'bare',
      compressed: false,
      visibility: 'private',
      protected: false,
      tags: [],
      image_type: 'snapshot',
      properties: {},
      stores: [],
      reply: 'accepted',
    });
  });

  it('takes what a later release of its version adds, and leaves it out', () => {
    const request = SnapshotRequest.parse({ ...least, schema_version: '1.7', encryption: { key: 'k' } });

    expect(request.schema_version).toBe('1.7');
    expect(request).not.toHaveProperty('encryption');
  });

  it.each<[string, object]>([
    ['another major version', { schema_version: '2.0' }],
    ['no version at all', { schema_version: 'latest' }],
    ['a request id with a blank', { request_id: 'a b' }],
    ['an endless request id', { request_id: 'r'.repeat(256) }],
    ['a name that can not be stored', { name: 'a\0b' }],
    ['a URI without end', { source: { uri: `file:///${'a'.repeat(5_000)}` } }],
    [
      'a bitmap with a line break',
      { source: { uri: 'nbd://h', incremental: { parent_image_id: 'i', dirty_bitmap: 'a\nb' } } },
    ],
    ['too many connections', { source: { uri: 'nbd://h', connections: 17 } }],
    [
      'too many properties',
      { properties: Object.fromEntries(Array.from({ length: 1_025 }, (_, i) => [`p${i}`, ''])) },
    ],
    ['a property that is no text', { properties: { a: 1 } }],
    ['another message', { type: 'snapshot.cancel' }],
  ])('refuses %s', (_what, more) => {
    expect(SnapshotRequest.safeParse({ ...least, ...more }).success).toBe(false);
  });

  it.each([
    ['SnapshotRequest', SnapshotRequest],
    ['SnapshotCancel', SnapshotCancel],
    ['SnapshotReply', SnapshotReply],
  ])('%s is a JSON Schema too, in which every text has a bound', (_name, schema) => {
    const document = z.toJSONSchema(schema, { io: 'input' });

    const unbounded = JSON.stringify(document).match(
      /\{[^{}]*"type":"string"(?![^{}]*("maxLength"|"enum"|"const"))[^{}]*\}/g,
    );
    expect(document).toMatchObject({ type: 'object', required: expect.arrayContaining(['request_id']) });
    expect(unbounded).toBeNull();
  });
});

describe('SnapshotReply', () => {
  it('tells the hashes of a snapshot that is there', () => {
    const data = { size: 5, checksum: 'c', osHashAlgo: 'sha512', osHashValue: 'h' };
    const reply = toSnapshotReply({
      requestId: 'r',
      projectId: 'p',
      instanceId: 'i',
      imageId: 'image',
      taskId: 'task',
      status: 'completed',
      error: null,
      data,
      createdAt: '2026-01-01T00:00:00.000Z',
      updatedAt: '2026-01-01T00:00:00.000Z',
    });

    expect(SnapshotReply.parse(reply)).toMatchObject({
      status: 'completed',
      image_id: 'image',
      size: 5,
      checksum: 'c',
      os_hash_algo: 'sha512',
      os_hash_value: 'h',
    });
  });

  it('says why nothing was made of a message', () => {
    const error = { code: 'REQUEST_INVALID', message: 'What is this?' };

    expect(SnapshotReply.parse(rejectedSnapshotReply(null, error))).toMatchObject({
      request_id: null,
      status: 'rejected',
      image_id: null,
      error,
    });
  });
});
