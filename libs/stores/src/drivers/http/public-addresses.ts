import { type LookupAddress, lookup } from 'node:dns';
import { BlockList, type LookupFunction, isIP } from 'node:net';
import { ServiceError } from '@glimpse/contracts';

/** Networks that only machines of the operator are in: this machine, its neighbours, private networks, carrier NAT. */
// A list each: in one, IPv4 would be found in the network of IPv6 that it is mapped to.
const operators = { ipv4: new BlockList(), ipv6: new BlockList() };
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const)
  operators.ipv4.addSubnet(network, prefix, 'ipv4');
for (const [network, prefix] of [
  ['::', 127],
  // Addresses of IPv4 in other clothes: whoever needs them writes IPv4.
  ['::ffff:0:0', 96],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
] as const)
  operators.ipv6.addSubnet(network, prefix, 'ipv6');

const refused = () =>
  new ServiceError(
    'STORE_LOCATION_INVALID',
    'The location is on a private network, which this store does not read from',
  );

/** Whether the address is one that anybody on the Internet can reach. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
  return !operators[family].check(address, family);
}

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
