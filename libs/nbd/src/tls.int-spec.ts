import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { NbdClient } from './nbd-client.js';
import { NbdWorkshop, using } from './real-servers.conformance.js';

const MIB = 1_048_576;

const workshop = new NbdWorkshop();
afterAll(() => workshop.close());

const uriOf = (socket: string) => `nbd+unix:///?socket=${socket}`;

describe('an export with TLS', () => {
  const certificates = workshop.path('tls');
  const pem = (name: string) => readFileSync(`${certificates}/${name}`);
  const ours = () => ({ ca: pem('ca-cert.pem'), cert: pem('client-cert.pem'), key: pem('client-key.pem') });
  let port = 0;
  let socket = '';

  beforeAll(async () => {
    makeCertificates(workshop, certificates);
    const path = workshop.disk('raw');
    const tls = [
      '--object',
      `tls-creds-x509,id=tls0,dir=${certificates},endpoint=server,verify-peer=on`,
      '--tls-creds',
      'tls0',
    ];
    const common = ['-r', '-t', '-e', '8', '-f', 'raw', ...tls];
    const all = ours();
    port = await workshop.onPort(
      'qemu-nbd',
      (at) => [...common, '-b', '127.0.0.1', '-p', `${at}`, path],
      (at) => using(`nbds://localhost:${at}/`, { tls: all }, async () => 0),
    );
    ({ socket } = await workshop.onSocket('qemu-nbd', (at) => [...common, '-k', at, path]));
  });

  it('reads over TCP and over a local socket', async () => {
    for (const uri of [`nbds://localhost:${port}/`, `nbds+unix:///?socket=${socket}&tls-hostname=localhost`])
      await using(uri, { tls: ours(), connections: 2 }, async (client) => {
        expect((await client.read(MIB - 1, 2)).equals(Buffer.from([0, 17]))).toBe(true);
        expect((await client.read(MIB, 3 * MIB)).equals(Buffer.alloc(3 * MIB, 17))).toBe(true);
      });
  });

  it.each([
    ['an authority that is not known', () => ({ cert: ours().cert, key: ours().key }), 'localhost', ''],
    ['another name', ours, '127.0.0.1', ''],
    ['another name in the URI', ours, 'localhost', '?tls-hostname=elsewhere'],
    ['no certificate of the client', () => ({ ca: ours().ca }), 'localhost', ''],
    ['a key that is none', () => ({ ...ours(), key: 'none' }), 'localhost', ''],
  ])('refuses %s for good', async (_, tls, host, query) => {
    await expect(
      using(`nbds://${host}:${port}/${query}`, { tls: tls() }, async () => 0),
    ).rejects.toMatchObject({
      code: 'NBD_TLS_FAILED',
    });
  });

  it('does not look at certificates only where both sides of the client say so', async () => {
    const uri = `nbds://127.0.0.1:${port}/?tls-verify-peer=0`;

    await expect(NbdClient.connect(uri, { tls: ours() })).rejects.toMatchObject({ code: 'NBD_URI_INVALID' });
    await using(uri, { tls: { ...ours(), allowUnverified: true } }, async (client) =>
      expect(client.size).toBe(64 * MIB),
    );
  });

  it('says that TLS is wanted, or that there is none', async () => {
    await expect(NbdClient.connect(uriOf(socket))).rejects.toMatchObject({
      code: 'NBD_TLS_FAILED',
      message: expect.stringContaining('wants TLS'),
    });
    const { socket: plain } = await workshop.onSocket('nbdkit', (at) => ['-f', '-U', at, 'memory', '1M']);
    await expect(NbdClient.connect(`nbds+unix:///?socket=${plain}`)).rejects.toMatchObject({
      code: 'NBD_TLS_FAILED',
    });
  });
});

function makeCertificates(inside: NbdWorkshop, folder: string): void {
  inside.run('mkdir', folder);
  const key = (name: string) => ['-newkey', 'rsa:2048', '-nodes', '-keyout', `${folder}/${name}-key.pem`];
  inside.run(
    'openssl',
    'req',
    '-x509',
    ...key('ca'),
    '-out',
    `${folder}/ca-cert.pem`,
    '-days',
    '2',
    '-subj',
    '/CN=authority',
  );
  for (const name of ['server', 'client']) {
    inside.run('openssl', 'req', ...key(name), '-out', `${folder}/${name}.csr`, '-subj', `/CN=${name}`);
    const extensions = `${folder}/${name}.ext`;
    writeFileSync(
      extensions,
      `basicConstraints=CA:FALSE\nextendedKeyUsage=${name}Auth\nsubjectAltName=DNS:localhost\n`,
    );
    inside.run(
      'openssl',
      'x509',
      '-req',
      '-in',
      `${folder}/${name}.csr`,
      '-CA',
      `${folder}/ca-cert.pem`,
      '-CAkey',
      `${folder}/ca-key.pem`,
      '-CAcreateserial',
      '-out',
      `${folder}/${name}-cert.pem`,
      '-days',
      '2',
      '-extfile',
      extensions,
    );
  }
}
