import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { servicesDir } from './state.js';

/** An authority, a certificate of the servers and one of a client, for the tests of TLS. */
export const tlsDir = join(servicesDir, 'tls');

const VALID_DAYS = '3650';

function openssl(cwd: string, ...args: string[]): void {
  const { status, error, stderr } = spawnSync('openssl', args, { cwd, encoding: 'utf8' });
  if (status !== 0) throw new Error(`openssl ${args[0]} failed: ${error?.message ?? stderr}`);
}

function createAuthority(dir: string): void {
  const subject = ['-subj', '/CN=glimpse test authority', '-days', VALID_DAYS];
  openssl(
    dir,
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
    ...subject,
  );
}

function createCertificate(dir: string, name: string, commonName: string): void {
  const request = ['-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${commonName}`];
  openssl(dir, 'req', '-newkey', 'rsa:2048', '-nodes', ...request);
  writeFileSync(
    join(dir, `${name}.ext`),
    'subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n',
  );
  const authority = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', VALID_DAYS];
  const files = ['-in', `${name}.csr`, '-out', `${name}.pem`, '-extfile', `${name}.ext`];
  openssl(dir, 'x509', '-req', ...files, ...authority);
}

/** Makes the certificates where there are none yet. */
export function ensureCertificates(): void {
  if (existsSync(tlsDir)) return;
  const unfinished = `${tlsDir}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true });
  createAuthority(unfinished);
  createCertificate(unfinished, 'server', 'localhost');
  createCertificate(unfinished, 'client', 'glimpse test client');
  // The servers in containers are other users. Nobody but the tests trusts these keys.
  for (const name of readdirSync(unfinished)) chmodSync(join(unfinished, name), 0o644);
  renameSync(unfinished, tlsDir);
}
