import { waitFor } from '@glimpse/testing';
import { describe, expect, it } from '@jest/globals';
import {
  OCTETS,
  fails,
  gateway,
  isPartial,
  isStored,
  loseStore,
  open,
  script,
  statusOf,
  upload,
  withScriptedRegistry,
} from './scripted-transfers.conformance.js';

withScriptedRegistry();

describe('An upload', () => {
  it('is stored and committed', async () => {
    expect(await upload('data')).toBe(204);
    expect(script.calls).toEqual(['commit']);
    expect(await isStored('i')).toBe(true);
  });

  it('that lost its race removes what it stored', async () => {
    script.commit = fails('IMAGE_LOST_RACE');

    expect(await upload('data')).toBe(410);
    expect(script.calls).toEqual(['commit', 'abort']);
    expect(await isStored('i')).toBe(false);
  });

  it('that its store may have kept in part is left to a worker', async () => {
    await loseStore();

    expect(await upload('data')).toBe(503);
    expect(script.calls).toEqual(['abort with leftovers']);
  });

  it('that was taken for dead leaves its data to those who clean up', async () => {
    script.commit = fails('LEASE_LOST');

    expect(await upload('data')).toBe(410);
    expect(await isStored('i')).toBe(true);
  });

  it('commits again when it is not known what became of the first', async () => {
    script.commit = fails('DATABASE_UNAVAILABLE', 'DATABASE_UNAVAILABLE');

    expect(await upload('data')).toBe(204);
    expect(script.calls).toEqual(['commit', 'commit', 'commit']);
  });

  it('answers 503 when it is not known for long, touches nothing and goes on trying', async () => {
    let isBack = false;
    script.commit = () => (isBack ? Promise.resolve() : fails('DATABASE_UNAVAILABLE')());

    expect(await upload('data')).toBe(503);
    expect(script.calls).not.toContain('abort');
    expect(await isStored('i')).toBe(true);
    const tried = script.calls.length;
    isBack = true;
    await waitFor('another commit', async () => script.calls.length > tried);
  });

  it('whose beginning is uncertain is taken back', async () => {
    script.begin = fails('DATABASE_UNAVAILABLE');

    expect(await upload('data')).toBe(503);
    await waitFor('the abort', async () => script.calls.includes('abort'));
  });

  it('that is refused stores nothing', async () => {
    script.begin = fails('IMAGE_STATUS_CONFLICT');

    expect(await upload('data')).toBe(409);
    expect(script.calls).toEqual([]);
    expect(await isStored('i')).toBe(false);
  });

  it('is given up when no heartbeat got through for a whole lease', async () => {
    const request = open('PUT', OCTETS);
    request.write('some');
    await waitFor('the upload to begin', async () => isPartial());

    script.heartbeat = fails(...Array.from({ length: 100 }, () => 'DATABASE_UNAVAILABLE' as const)) as never;

    expect(await statusOf(request)).toBe(503);
    expect(await isStored('i')).toBe(false);
    expect(await isPartial()).toBe(false);
  });

  it('is ended when the client sends nothing for too long', async () => {
    const request = open('PUT', OCTETS);
    request.on('error', () => {});
    const closed = new Promise((resolve) => request.once('close', resolve));
    request.write('some');

    await closed;

    await waitFor('the abort', async () => script.calls.includes('abort'));
    expect(await isPartial()).toBe(false);
  });

  it('is finished while the service stops, and then the lease is released', async () => {
    const request = open('PUT', OCTETS);
    request.write('some');
    await waitFor('the upload to begin', async () => isPartial());

    const closing = gateway.close(5_000);
    request.end(' data');

    expect(await statusOf(request)).toBe(204);
    await closing;
    expect(script.calls).toEqual(['commit', 'release']);
  });

  it('whose client is gone is taken back before the lease is released', async () => {
    const request = open('PUT', OCTETS);
    request.on('error', () => {});
    request.write('some');
    await waitFor('the upload to begin', async () => isPartial());

    request.destroy();
    await gateway.close(5_000);

    expect(script.calls).toEqual(['abort', 'release']);
    expect(await isPartial()).toBe(false);
  });

  it('that does not finish in time is given up before the lease is released', async () => {
    const request = open('PUT', OCTETS);
    request.write('some');
    await waitFor('the upload to begin', async () => isPartial());

    const closing = gateway.close(0);

    expect(await statusOf(request)).toBe(503);
    await closing;
    expect(script.calls).toEqual(['abort', 'release']);
    expect(await isStored('i')).toBe(false);
  });
});
