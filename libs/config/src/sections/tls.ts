import { z } from 'zod';

/** How this service shows and checks certificates on a connection to a server. Files are read anew for each connection. */
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
