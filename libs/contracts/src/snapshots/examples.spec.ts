import { describe, expect, it } from '@jest/globals';
import { publicEvents } from '../events/public-events.js';
import { snapshotEvents } from '../events/snapshot-events.js';
import { snapshotCancelExamples, snapshotReplyExamples, snapshotRequestExamples } from './examples.js';
import { SnapshotCancel, SnapshotRequest } from './snapshot-request.js';
import { SnapshotReply } from './snapshot.js';

describe('messages of version 1.0', () => {
  it.each([
    ...Object.entries(snapshotRequestExamples).map(
      ([name, value]) => [name, SnapshotRequest, value] as const,
    ),
    ...Object.entries(snapshotCancelExamples).map(([name, value]) => [name, SnapshotCancel, value] as const),
    ...Object.entries(snapshotReplyExamples).map(([name, value]) => [name, SnapshotReply, value] as const),
    ...publicEvents.flatMap(({ event, examples }) =>
      Object.entries(examples).map(
        ([name, value]) => [`${event.name}: ${name}`, event.payload, value as object] as const,
      ),
    ),
  ])('are understood: %s', (_name, schema, value) => {
    expect(schema.parse(value)).toMatchObject(value);
  });

  it('are there of each event of snapshots', () => {
    expect(Object.values(snapshotEvents).map(({ name }) => name)).toEqual(
      publicEvents.filter(({ examples }) => Object.keys(examples).length > 0).map(({ event }) => event.name),
    );
  });

  it('need no more members than they did', () => {
    expect(SnapshotRequest.safeParse({}).error?.issues.map(({ path }) => path.join('.'))).toEqual([
      'request_id',
      'instance_id',
      'name',
      'source',
    ]);
  });
});
