import type { DownloadTicket } from '@glimpse/contracts';

type Hashes = Pick<DownloadTicket, 'checksum' | 'osHashAlgo' | 'osHashValue'>;

const isHex = (text: string) => /^(?:[0-9a-f]{2})+$/i.test(text);
const isName = (text: string) => /^[A-Za-z0-9_-]+$/.test(text);

/** The strong validator of an image's data: the same for the same bytes. None where no hash is known. */
export function entityTagOf({ checksum, osHashAlgo, osHashValue }: Hashes): string | undefined {
  if (osHashAlgo != null && osHashValue != null && isName(osHashAlgo) && isHex(osHashValue))
    return `"${osHashAlgo}-${osHashValue.toLowerCase()}"`;
  return checksum !== null && isHex(checksum) ? `"md5-${checksum.toLowerCase()}"` : undefined;
}

/** The hashes of Glance under the names that RFC 9530 gives them. */
const DIGEST_NAMES: Readonly<Record<string, string>> = { sha256: 'sha-256', sha512: 'sha-512' };

/** Whether Want-Repr-Digest asks for a digest of that name; 0 says that it is unwelcome. */
function wants(header: string, name: string): boolean {
  return header.split(',').some((member) => {
    const [key = '', preference = ''] = member.split('=');
    return key.trim() === name && /^\s*[1-9]\d*\s*(?:;|$)/.test(preference);
  });
}

/** Repr-Digest for the whole image, where the client asks for the hash that there is (RFC 9530). */
export function reprDigestOf({ osHashAlgo, osHashValue }: Hashes, wanted: unknown): string | undefined {
  const name = osHashAlgo == null ? undefined : DIGEST_NAMES[osHashAlgo];
  if (name === undefined || osHashValue == null || !isHex(osHashValue)) return undefined;
  if (typeof wanted !== 'string' || !wants(wanted, name)) return undefined;
  return `${name}=:${Buffer.from(osHashValue, 'hex').toString('base64')}:`;
}
