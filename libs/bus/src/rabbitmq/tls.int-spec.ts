import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type OwnPlace,
  createVirtualHost,
  getTlsServers,
  peerOfConnections,
  waitFor,
} from '@glimpse/testing';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { BusOptions } from '../bus-options.js';
import { BusHarness, codeOf, echo, perform } from '../bus-harness.conformance.js';

describe('RabbitMQ by TLS', () => {
  let place: OwnPlace;
  let harness: BusHarness;
  let url: string;
  beforeEach(async () => {
    place = await createVirtualHost();
    const secure = new URL(getTlsServers().busUrl);
    const own = new URL(place.url);
    url = `amqps://${own.username}:${own.password}@${secure.host}${own.pathname}`;
    harness = new BusHarness(url);
  });
  afterEach(async () => {
    await harness.close();
    await place.remove();
  });

  const answered = async (tls: BusOptions['options']['tls'], at = url) => {
    await harness.rpcServer(echo, {}, place.url);
    const { rpc } = harness.client({ tls }, at);
    return codeOf(rpc.call(perform, { value: 1 }));
  };
  const reasons = () => harness.logged.map((line) => line.err?.message ?? '').join('\n');

  it('calls and is called', async () => {
    const tls = { caFile: getTlsServers().caFile };
    await harness.rpcServer(echo, { tls });
    const { rpc } = harness.client({ tls });

    await expect(rpc.call(perform, { value: 'secret' })).resolves.toEqual({ value: 'secret' });
  });

  it('trusts the authorities of the file it is given, and no others', async () => {
    await expect(answered({})).resolves.toBe('BUS_UNAVAILABLE');

    expect(reasons()).toMatch(/self-signed|unable to verify/i);
  });

  it('does not take the certificate of another server, unless told its name', async () => {
    const { caFile } = getTlsServers();
    // This machine by a name that is not in the certificate.
    const other = url.replace('@localhost', '@127.1');

    await expect(answered({ caFile }, other)).resolves.toBe('BUS_UNAVAILABLE');
    expect(reasons()).toContain('127.1');
    await expect(answered({ caFile, serverName: 'localhost' }, other)).resolves.toBe('OK');
  });

  it('shows its certificate', async () => {
    const { caFile, clientCertFile: certFile, clientKeyFile: keyFile } = getTlsServers();
    await expect(answered({ caFile, certFile, keyFile })).resolves.toBe('OK');

    await waitFor(
      'the certificate in the list of connections',
      async () => (await peerOfConnections(url)).some((subject) => subject.includes('glimpse test client')),
      20_000,
    );
  });

  it('takes certificates that were renewed, without a restart', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'glimpse-tls-'));
    const caFile = join(folder, 'ca.pem');
    // Somebody's who has not signed for this server.
    await copyFile(getTlsServers().clientCertFile, caFile);
    const bus = harness.client({ tls: { caFile } });
    await waitFor('the refusal', () => /self-signed|unable to/i.test(reasons()));

    await copyFile(getTlsServers().caFile, caFile);

    await waitFor('the connection', () => bus.status.isConnected());
    await rm(folder, { recursive: true });
  });

  it('says which file can not be read', async () => {
    await expect(answered({ caFile: '/nowhere/ca.pem' })).resolves.toBe('BUS_UNAVAILABLE');

    expect(reasons()).toContain('/nowhere/ca.pem');
  });
});
