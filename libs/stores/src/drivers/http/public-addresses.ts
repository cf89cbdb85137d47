import { type LookupAddress, lookup } from 'node:dns';
import { type LookupFunction, isIP } from 'node:net';
import { ServiceError, isOwnAddress } from '@glimpse/contracts';

const refused = () =>
  new ServiceError(
    'STORE_LOCATION_INVALID',
    'The location is on a private network, which this store does not read from',
  );

/** Whether the address is one that anybody on the Internet can reach. */
export const isPublicAddress = (address: string): boolean => !isOwnAddress(address);

/** Refuses, with STORE_LOCATION_INVALID, a host that is written as an address of the operator's own. */
export function checkHost(hostname: string): void {
  const host = hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) !== 0 && !isPublicAddress(host)) throw refused();
}

/**
 * Resolves names as the system does, and refuses those that lead to an address of the operator's own. The connection is
 * made to the very addresses that were looked at.
 */
export const lookupPublic: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
    const [first] = addresses ?? [];
    if (error !== null || first === undefined) callback(error ?? new Error('no address'), '', 0);
    else if (!addresses.every(({ address }) => isPublicAddress(address))) callback(refused(), '', 0);
    else if (options.all === true) callback(null, addresses);
    else callback(null, first.address, first.family);
  });
};
