import { isIP } from 'node:net';
import { z } from 'zod';

/** How this service shows and checks certificates on a connection to a server. The files are read for each connection. */
export const tlsFiles = (server: string) => ({
  caFile: z
    .string()
    .optional()
    .describe(
      `PEM file of the authorities that the certificate of ${server} is checked with; default: Node's.`,
    ),
  certFile: z.string().optional().describe(`PEM file of the certificate that is shown to ${server}.`),
  keyFile: z.string().optional().describe('PEM file of the key of that certificate.'),
});

/** What is wrong with a certificate and a key that only work together. */
export function tlsProblems(
  section: string,
  files: { certFile?: string | undefined; keyFile?: string | undefined },
): string[] {
  return (files.certFile === undefined) === (files.keyFile === undefined)
    ? []
    : [`${section}.cert_file, ${section}.key_file: must be set together`];
}

interface DatabaseTls {
  readonly databaseUrl?: string | undefined;
  readonly database: {
    readonly tls: Parameters<typeof tlsProblems>[1] & { mode: string; caFile?: string | undefined };
  };
}

/** What is wrong with the options of TLS to MySQL together. */
export function databaseTlsProblems({ databaseUrl, database: { tls } }: DatabaseTls): string[] {
  const isOff = tls.mode === 'disabled';
  const hasFiles = tls.caFile !== undefined || tls.certFile !== undefined;
  const host = databaseUrl?.startsWith('mysql:') ? new URL(databaseUrl).hostname.replace(/^\[|\]$/g, '') : '';
  return [
    ...tlsProblems('database.tls', tls),
    ...(isOff && hasFiles ? ['database.tls.mode: certificates are given, but TLS is disabled'] : []),
    // The driver would look for another name in the certificate.
    ...(tls.mode === 'verify_identity' && isIP(host) !== 0
      ? ['database.tls.mode: verify_identity needs a host name in database_url, not an address']
      : []),
  ];
}
