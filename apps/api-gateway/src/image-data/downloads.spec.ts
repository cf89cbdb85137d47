import { truncate, writeFile } from 'node:fs/promises';
import type { DownloadTicket } from '@glimpse/contracts';
import { waitFor } from '@glimpse/testing';
import { beforeEach, describe, expect, it } from '@jest/globals';
import {
  answerOf,
  brokenDownloads,
  download,
  fileOf,
  location,
  script,
  upload,
  withScriptedRegistry,
} from './scripted-transfers.conformance.js';

withScriptedRegistry();

describe('A download', () => {
  beforeEach(async () => {
    await upload('0123456789');
  });

  it('tries one location after the other', async () => {
    script.download = {
      imageId: 'i',
      size: 10,
      checksum: null,
      locations: [location('gone'), location('i')],
    };

    expect(await download({ range: 'bytes=2-4' })).toEqual({ status: 206, text: '234' });
  });

  it('of data that is lost is 204', async () => {
    script.download = { imageId: 'i', size: 10, checksum: null, locations: [location('gone')] };

    expect(await download()).toEqual({ status: 204, text: '' });
  });

  it('from a store that is not configured is 503', async () => {
    script.download = {
      imageId: 'i',
      size: 10,
      checksum: null,
      locations: [{ url: 'rbd://a/b', metadata: { store: 'ceph' } }],
    };

    expect((await download()).status).toBe(503);
  });

  it('breaks off when the store has less than there should be', async () => {
    script.download = { imageId: 'i', size: 11, checksum: null, locations: [location('i')] };

    await expect(download()).rejects.toThrow('aborted');
  });

  it('breaks off when the store has more than there should be', async () => {
    script.download = { imageId: 'i', size: 9, checksum: null, locations: [location('i')] };

    await expect(download()).rejects.toThrow(/aborted|hang up/);
  });

  it('is ended when the client reads nothing for too long', async () => {
    await writeFile(fileOf('large'), '');
    await truncate(fileOf('large'), 512 * 1024 * 1024);
    script.download = {
      imageId: 'i',
      size: 512 * 1024 * 1024,
      checksum: null,
      locations: [location('large')],
    };
    const before = await brokenDownloads();
    const response = await answerOf();
    response.on('error', () => {});

    await waitFor('the download to be ended', async () => (await brokenDownloads()) > before);

    response.destroy();
  });
});

describe('Those who are to be notified of downloads hear', () => {
  const LARGE = 32 * 1024 * 1024;
  /** More than the server sends at once: it has counted some of it. */
  const ENOUGH = 2 * 1024 * 1024;
  const told = (count: number) =>
    waitFor('the reports', () => (script.sent.length >= count ? script.sent : undefined));
  const offer = (name: string, size: number, more: Partial<DownloadTicket> = {}) => {
    script.download = { imageId: name, size, checksum: null, locations: [location(name)], ...more };
  };
  const goAwayInTheMiddle = async () => {
    const before = await brokenDownloads();
    const response = await answerOf();
    let received = 0;
    for await (const chunk of response as AsyncIterable<Buffer>) {
      received += chunk.length;
      // Leaving the loop ends the connection.
      if (received > ENOUGH) break;
    }
    await waitFor('the download to be ended', async () => (await brokenDownloads()) > before);
  };

  beforeEach(async () => {
    await upload('0123456789');
    await writeFile(fileOf('large'), '');
    await truncate(fileOf('large'), LARGE);
  });

  it('how much a store sent that broke off', async () => {
    offer('i', 11, { owner: 'p1' });
    await download().catch(() => undefined);

    expect(await told(1)).toMatchObject([
      { imageId: 'i', ownerId: 'p1', bytesSent: 10, isComplete: false, destinationIp: null },
    ]);
  });

  it('nothing of a client that went away, where the store was read', async () => {
    offer('large', LARGE);
    await goAwayInTheMiddle();
    offer('i', 10);
    await download();

    expect(await told(1)).toMatchObject([{ imageId: 'i', bytesSent: 10, isComplete: true }]);
  });

  it('how much a client got that went away, where the cache was read', async () => {
    offer('large', LARGE, { status: 'active' });
    const isCached = () => script.sent.some(({ destinationIp }) => destinationIp !== null);
    await waitFor('a download from the cache', async () => {
      const before = script.sent.length;
      await download();
      await told(before + 1);
      return isCached();
    });
    const before = script.sent.length;

    await goAwayInTheMiddle();

    const report = (await told(before + 1)).at(-1);
    expect(report).toMatchObject({ imageId: 'large', isComplete: false, destinationIp: '127.0.0.1' });
    expect(report?.bytesSent).toBeGreaterThan(0);
    expect(report?.bytesSent).toBeLessThan(LARGE);
  });

  it('of data that is empty', async () => {
    await writeFile(fileOf('empty'), '');
    offer('empty', 0);

    expect(await download()).toEqual({ status: 200, text: '' });
    expect(await told(1)).toMatchObject([{ imageId: 'empty', bytesSent: 0, isComplete: true }]);
  });
});
