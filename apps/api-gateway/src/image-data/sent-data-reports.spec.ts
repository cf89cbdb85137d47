import type { RpcClient } from '@glimpse/bus';
import { loadConfig } from '@glimpse/config';
import type { SentData } from '@glimpse/contracts';
import { createLogger } from '@glimpse/observability';
import { waitFor } from '@glimpse/testing';
import { describe, expect, it } from '@jest/globals';
import { GatewaySettings } from '../gateway-settings.js';
import { type EndedDownload, SentDataReports } from './sent-data-reports.js';

const aDownload = (imageId: string): EndedDownload => ({
  imageId,
  ownerId: 'p1',
  receiverProjectId: 'p2',
  receiverUserId: 'u2',
  bytesSent: 3,
  isComplete: true,
  destinationIp: null,
});

function setUp(environment: NodeJS.ProcessEnv = {}) {
  const calls: string[][] = [];
  const told: SentData[] = [];
  const registry = { isAway: false };
  const call = (_definition: unknown, { sent }: { sent: SentData[] }) => {
    calls.push(sent.map(({ imageId }) => imageId));
    if (registry.isAway) return Promise.reject(new Error('away'));
    told.push(...sent);
    return Promise.resolve({});
  };
  const settings = new GatewaySettings(
    loadConfig({ GLIMPSE_NOTIFICATIONS_DRIVER: 'log', ...environment }),
    'api-gateway-1',
    createLogger('api-gateway', { level: 'silent' }),
    new AbortController().signal,
  );
  const reports = new SentDataReports({ call } as unknown as RpcClient, settings);
  return { reports, calls, told, registry };
}

describe('the reports of downloads', () => {
  it('are told together, each with an id and a time', async () => {
    const { reports, calls, told } = setUp();

    reports.note(aDownload('a'));
    reports.note(aDownload('b'));
    await waitFor('the reports', () => told.length === 2);

    expect(calls).toEqual([['a', 'b']]);
    expect(told[0]).toMatchObject({ ...aDownload('a'), id: expect.any(String), sentAt: expect.any(String) });
    await reports.stop();
  });

  it('wait for a registry that is away, as many as there may be, and come again with their ids', async () => {
    const { reports, calls, told, registry } = setUp({ GLIMPSE_NOTIFICATIONS_SEND_BUFFER: '2' });
    registry.isAway = true;
    for (const id of ['a', 'b', 'c']) reports.note(aDownload(id));
    await waitFor('an attempt', () => calls.length > 0);

    registry.isAway = false;
    await waitFor('the reports', () => told.length === 2);

    expect(told.map(({ imageId }) => imageId)).toEqual(['b', 'c']);
    await reports.stop();
  });

  it('are told at the end, without waiting', async () => {
    const { reports, told } = setUp();
    reports.note(aDownload('a'));

    await reports.stop();

    expect(told).toHaveLength(1);
  });

  it.each([
    ['nobody is notified', { GLIMPSE_NOTIFICATIONS_DRIVER: 'noop' }],
    ['of downloads nobody is', { GLIMPSE_NOTIFICATIONS_DISABLED_NOTIFICATIONS: 'image.send' }],
    ['of images nobody is', { GLIMPSE_NOTIFICATIONS_DISABLED_NOTIFICATIONS: 'task,image' }],
  ])('are none where %s', async (_name, environment) => {
    const { reports, calls } = setUp(environment);
    reports.note(aDownload('a'));

    await reports.stop();

    expect(calls).toEqual([]);
  });
});
