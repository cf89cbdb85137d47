import { isIP } from 'node:net';
import { words } from '../option-types.js';

function isNetwork(text: string): boolean {
  const [address, bits, ...rest] = text.split('/');
  const version = isIP(address ?? '');
  if (version === 0 || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
}

/** Option: the proxies in front of the API. */
export const trustedProxies = words()
  .refine(
    (networks) => networks.every(isNetwork),
    'must be addresses or networks, e.g. 10.0.0.5, 10.1.0.0/16',
  )
  .default([])
  .describe(
    'Addresses and networks of the proxies in front: from these X-Forwarded-For says where a request came from, for the audit and the rate limits.',
  );
