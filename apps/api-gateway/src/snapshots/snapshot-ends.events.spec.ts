import type { RpcClient } from '@glimpse/bus';
import { ServiceError, snapshotEvents } from '@glimpse/contracts';
import { describe, expect, it } from '@jest/globals';
import { SnapshotEnds } from './snapshot-ends.events.js';
import type { SnapshotReplies } from './snapshot-replies.js';

const snapshot = {
  requestId: 'r',
  projectId: 'p',
  instanceId: 'i',
  imageId: 'image',
  taskId: 'task',
  status: 'failed',
  error: { code: 'TRANSFER_ABORTED', message: 'away' },
  data: null,
  createdAt: '2026-01-01T00:00:00Z',
  updatedAt: '2026-01-01T00:00:00Z',
};
const event = {
  definition: snapshotEvents.failed,
  payload: { ...snapshot.error, image_id: 'image' },
};

/** The end of a snapshot that `addresses` are to hear of, where sending fails as `failures` say before it works. */
function anEnd(addresses: readonly string[], failures: Error[], canSend = true) {
  const sent: string[] = [];
  const rpc = {
    call: () =>
      Promise.resolve({
        snapshot,
        addresses: addresses.map((routingKey) => ({
          exchange: '',
          routingKey,
          correlationId: null,
          form: 'plain',
        })),
      }),
  };
  const replies = {
    canSend,
    send: ({ routingKey }: { routingKey: string }) => {
      const failure = failures.shift();
      if (failure !== undefined) return Promise.reject(failure);
      sent.push(routingKey);
      return Promise.resolve();
    },
  };
  const ends = new SnapshotEnds(rpc as unknown as RpcClient, replies as unknown as SnapshotReplies);
  return { sent, told: () => ends.failed(event as unknown as Parameters<typeof ends.failed>[0]) };
}

const away = () => new ServiceError('BUS_UNAVAILABLE', 'away');

describe('the end of a snapshot', () => {
  it('is told once to each who waits, when the RabbitMQ of compute is back', async () => {
    const { sent, told } = anEnd(['a', 'b'], [away(), away(), away()]);

    await told();

    expect(sent.toSorted()).toEqual(['a', 'b']);
  });

  it('is left to another gateway where this one has none', async () => {
    const { sent, told } = anEnd(['a'], [away()], false);

    await expect(told()).rejects.toThrow('away');

    expect(sent).toEqual([]);
  });
});
