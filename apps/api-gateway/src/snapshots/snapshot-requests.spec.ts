import type { ForeignRequest, RpcClient } from '@glimpse/bus';
import { loadConfig } from '@glimpse/config';
import { ServiceError } from '@glimpse/contracts';
import { createLogger } from '@glimpse/observability';
import { describe, expect, it } from '@jest/globals';
import type { GatewaySettings } from '../gateway-settings.js';
import type { SnapshotCallers } from './snapshot-callers.js';
import type { SnapshotReplies } from './snapshot-replies.js';
import { SnapshotRequests } from './snapshot-requests.js';

const config = loadConfig({ GLIMPSE_DATA_DIR: '/nonexistent' });
const settings = { config, instanceId: 'gateway', logger: createLogger('gateway', { level: 'silent' }) };

const wellFormed = JSON.stringify({
  request_id: 'r',
  project_id: 'p',
  instance_id: 'i',
  name: 'n',
  source: { uri: 'file:///disk' },
});
const accepted = {
  requestId: 'r',
  projectId: 'p',
  instanceId: 'i',
  imageId: 'image',
  taskId: 'task',
  status: 'accepted',
  error: null,
  data: null,
  createdAt: '2026-01-01T00:00:00Z',
  updatedAt: '2026-01-01T00:00:00Z',
};

/** What becomes of a request whose sender waits at a queue that takes nothing, where the registry answers so. */
async function fates(more: Partial<ForeignRequest>, answer: () => object): Promise<string[]> {
  const seen: string[] = [];
  const note = (what: string) => {
    seen.push(what);
    return Promise.resolve();
  };
  const rpc = { call: async () => answer() };
  const callers = { identify: async () => ({ ctx: {}, isTrusted: true }), trusts: () => true };
  const replies = {
    send: async () => {
      await note('no reply');
      throw new ServiceError('BUS_UNAVAILABLE', 'The message broker did not take the message');
    },
  };
  const requests = new SnapshotRequests(
    rpc as unknown as RpcClient,
    callers as unknown as SnapshotCallers,
    replies as unknown as SnapshotReplies,
    settings as unknown as GatewaySettings,
  );
  await requests.take({
    body: Buffer.from(wellFormed),
    publisher: 'nova',
    replyTo: 'glimpse.snapshots.replies.full',
    correlationId: 'c',
    compression: null,
    traceparent: null,
    attempt: 1,
    redeliveries: 0,
    deadline: null,
    done: () => void note('done'),
    retry: () => note('retried'),
    bury: () => note('buried'),
    ...more,
  });
  return seen;
}

const refuse = () => {
  throw new ServiceError('SNAPSHOT_REQUEST_CONFLICT', 'another one');
};

describe('a request whose sender takes no reply', () => {
  it('is buried at once where nobody can read it', async () => {
    const unreadable = { body: Buffer.from('{') };

    expect(await fates(unreadable, () => accepted)).toEqual(['no reply', 'buried']);
  });

  it.each([
    ['is carried out', () => accepted],
    ['is rejected', refuse],
  ])('comes again for a while where it %s, and not for ever', async (_what, answer) => {
    expect(await fates({ attempt: 7 }, answer)).toEqual(['no reply', 'retried']);
    expect(await fates({ attempt: 8 }, answer)).toEqual(['no reply', 'done']);
  });

  it('is buried where it fails in a way that nobody foresaw', async () => {
    const fail = () => {
      throw new Error('a mistake');
    };

    expect(await fates({ attempt: 8 }, fail)).toEqual(['no reply', 'buried']);
  });

  it('is buried where it came back too often', async () => {
    expect(await fates({ redeliveries: 20 }, () => accepted)).toEqual(['no reply', 'buried']);
  });
});
