import { readFileSync } from 'node:fs';

/** How the connections to MySQL are encrypted, and what of the server is checked. */
export interface MysqlTlsOptions {
  readonly mode: 'disabled' | 'required' | 'verify_ca' | 'verify_identity';
  readonly caFile?: string | undefined;
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
}

const read = (path: string | undefined) => (path === undefined ? undefined : readFileSync(path, 'utf8'));

/**
 * mysql2's options; undefined for connections without TLS. A server that has none is refused. The files are read for
 * each connection, since certificates are renewed.
 */
export function mysqlTls({ mode, caFile, certFile, keyFile }: MysqlTlsOptions): object | undefined {
  if (mode === 'disabled') return undefined;
  return {
    rejectUnauthorized: mode !== 'required',
    verifyIdentity: mode === 'verify_identity',
    get ca() {
      return read(caFile);
    },
    get cert() {
      return read(certFile);
    },
    get key() {
      return read(keyFile);
    },
  };
}
